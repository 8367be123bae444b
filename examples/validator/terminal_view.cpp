#include "terminal_view.hpp"

#include <member/display.hpp>

#include <papilio/base/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace papilio::example {

namespace {

std::string state_of(const known_member& m, const run_snapshot& now, const std::string& last)
{
    if (now.averaging) return "averaging";
    if (m.ready) return "ready";
    return last.empty() ? "joining" : "training";
}

}  // namespace

std::string status_line(const run_snapshot& now, const run_metrics& h)
{
    const auto present =
        std::ranges::count_if(now.members, [](const auto& m) { return m.second.present; });
    const auto ready = std::ranges::count_if(
        now.members, [](const auto& m) { return m.second.present && m.second.ready; });
    return fmt::format(
        "{}: {} rounds done, {} miners{}, held-out loss {:.3f}, unigram entropy {:.3f}{}\n",
        span_of(std::round(h.seconds)), now.round, present,
        ready == 0 ? "" : fmt::format(" ({} ready)", ready), h.held_out_loss, h.entropy,
        h.seconds_left < 0 ? "" : ", " + span_of(std::round(h.seconds_left)) + " left");
}

std::string table(const run_snapshot& now, const summary& so_far)
{
    std::string t = fmt::format(
        "{:>5} {:<12} {:<21} {:<9} {:<9} {:>6} {:>9} {:>9} {:>8} {:>6} {:>6}\n", "miner", "name",
        "address", "now", "last", "rounds", "up Mb/s", "down Mb/s", "rtt ms", "loss", "score");
    for (const auto& [id, m] : now.members) {
        if (!m.present) continue;
        const auto known = so_far.miners().find(id);
        const summary::miner_record s =
            known == so_far.miners().end() ? summary::miner_record{} : known->second;
        const auto link = now.links.find(id);
        const auto figure = [&](double link_figures::*f, const char* form) {
            return link == now.links.end() || !link->second
                       ? std::string("-")
                       : fmt::format(fmt::runtime(form), (*link->second).*f);
        };
        t += fmt::format(
            "{:>5} {:<12} {:<21} {:<9} {:<9} {:>6} {:>9} {:>9} {:>8} {:>6.3f} {:>6.2f}\n", id,
            printable(m.name, 12), printable(tcp::to_string({m.at.host, m.at.port}), 21),
            state_of(m, now, s.status), s.status, s.rounds,
            figure(&link_figures::up_mbit, "{:.0f}"), figure(&link_figures::down_mbit, "{:.0f}"),
            figure(&link_figures::rtt_ms, "{:.2f}"), m.progress.loss,
            s.chances == 0 ? 0 : s.score / s.chances);
    }
    return t;
}

terminal_view::terminal_view() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

void terminal_view::clear()
{
    const auto lines = std::ranges::count(shown_, '\n');
    if (lines > 0) std::fputs(fmt::format("\x1b[{}F\x1b[J", lines).c_str(), stdout);
    shown_.clear();
}

void terminal_view::show(const run_snapshot& now, const summary& so_far, const run_metrics& h)
{
    std::string what = status_line(now, h);
    if (terminal_ || clock::now() >= table_due_) {
        what += table(now, so_far);
        table_due_ = clock::now() + std::chrono::seconds(30);
    }
    if (terminal_) {
        clear();
        what = shown_ = fitted(what, size_of_display());
    }
    std::fputs(what.c_str(), stdout);
    std::fflush(stdout);
}

void terminal_view::note(const std::string& line)
{
    const std::string below = shown_;
    if (terminal_) clear();
    std::fputs((printable(line) + "\n" + below).c_str(), stdout);
    std::fflush(stdout);
    if (terminal_) shown_ = below;
}

}  // namespace papilio::example
