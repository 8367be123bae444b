#include "terminal_view.hpp"

#include <member/display.hpp>
#include <member/log_line.hpp>

#include <papilio/base/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <vector>

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
        "{}: {} rounds done, held-out loss {:.3f} of {} sequences after round {}, {} "
        "miners{}{}{}\n",
        span_of(std::round(h.seconds)), now.round, h.latest.loss, h.latest.sequences,
        h.latest.round, present, ready == 0 ? "" : fmt::format(" ({} ready)", ready),
        std::isnan(h.entropy) ? "" : fmt::format(", unigram entropy {:.3f}", h.entropy),
        h.seconds_left < 0 ? "" : ", " + span_of(std::round(h.seconds_left)) + " left");
}

namespace {

/// What a cell of the table is taken from.
struct table_row {
    std::uint16_t id;
    const known_member& member;
    const run_snapshot& now;
    const summary::miner_record& record;
};

struct table_column {
    std::string_view title;
    std::size_t width;
    bool right;  // aligned
    int need;    // columns with less need go first where the terminal is narrow
    std::string (*cell)(const table_row&);
};

template <double link_figures::*Figure>
std::string figure(const table_row& r)
{
    const auto link = r.now.links.find(r.id);
    if (link == r.now.links.end() || !link->second) return "-";
    return fmt::format("{:.{}f}", (*link->second).*Figure, Figure == &link_figures::rtt_ms ? 2 : 0);
}

const table_column columns[] = {
    {"miner", 5, true, 9, [](const table_row& r) { return fmt::to_string(r.id); }},
    {"name", 12, false, 8, [](const table_row& r) { return printable(r.member.name, 12); }},
    {"address", 21, false, 1,
     [](const table_row& r) {
         return printable(tcp::to_string({r.member.at.host, r.member.at.port}), 21);
     }},
    {"now", 9, false, 7,
     [](const table_row& r) { return state_of(r.member, r.now, r.record.status); }},
    {"last", 9, false, 4, [](const table_row& r) { return r.record.status; }},
    {"rounds", 6, true, 6, [](const table_row& r) { return fmt::to_string(r.record.rounds); }},
    {"up Mb/s", 9, true, 3, figure<&link_figures::up_mbit>},
    {"down Mb/s", 9, true, 3, figure<&link_figures::down_mbit>},
    {"rtt ms", 8, true, 2, figure<&link_figures::rtt_ms>},
    {"loss", 6, true, 9,
     [](const table_row& r) { return fmt::format("{:.3f}", r.member.progress.loss); }},
    {"score", 6, true, 9,
     [](const table_row& r) {
         const auto& s = r.record;
         return fmt::format("{:.2f}", s.chances == 0 ? 0 : s.score / s.chances);
     }},
};

/// The columns that fit, least needed ones left out.
std::vector<const table_column*> fitting_columns(std::size_t width)
{
    std::vector<const table_column*> fitting;
    for (const auto& c : columns) fitting.push_back(&c);
    const auto needed = [&] {
        std::size_t sum = fitting.size() - 1;
        for (const auto* c : fitting) sum += c->width;
        return sum;
    };
    while (fitting.size() > 1 && needed() > width)
        fitting.erase(std::ranges::min_element(fitting, {}, &table_column::need));
    return fitting;
}

std::string cell(const table_column& c, std::string_view text)
{
    return c.right ? fmt::format("{:>{}}", text, c.width) : fmt::format("{:<{}}", text, c.width);
}

}  // namespace

std::string table(const run_snapshot& now, const summary& so_far, std::size_t width)
{
    const auto fitting = fitting_columns(width);
    const auto line = [&](auto text_of) {
        std::string text;
        for (const auto* c : fitting) text += (text.empty() ? "" : " ") + cell(*c, text_of(*c));
        return text + "\n";
    };
    std::string all = line([](const table_column& c) { return std::string(c.title); });
    for (const auto& [id, m] : now.members) {
        if (!m.present) continue;
        const auto known = so_far.miners().find(id);
        const summary::miner_record none;
        const bool has_record = known != so_far.miners().end() && known->second.name == m.name;
        const table_row row{id, m, now, has_record ? known->second : none};
        all += line([&](const table_column& c) { return c.cell(row); });
    }
    return all;
}

namespace {

/// Each line with time and level, for whoever reads it later.
std::string stamped(const std::string& lines, log_level level)
{
    std::string all;
    std::istringstream from(lines);
    for (std::string line; std::getline(from, line);) all += log_line(name(level), line) + "\n";
    return all;
}

}  // namespace

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
        what += table(now, so_far, size_of_display().columns);
        table_due_ = clock::now() + std::chrono::seconds(30);
    }
    if (terminal_) {
        clear();
        what = shown_ = fitted(what, size_of_display());
    } else {
        what = stamped(what, log_level::info);
    }
    std::fputs(what.c_str(), stdout);
    std::fflush(stdout);
}

void terminal_view::print(const std::string& line, log_level level)
{
    const std::string below = shown_;
    if (terminal_) clear();
    const std::string shown = printable(line) + "\n";
    std::fputs((terminal_ ? shown + below : stamped(shown, level)).c_str(), stdout);
    std::fflush(stdout);
    if (terminal_) shown_ = below;
}

}  // namespace papilio::example
