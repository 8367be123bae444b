// What the director sees for itself, beside what processes report.

#include "director.hpp"
#include "resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace papilio::example::chaos {

namespace {

/// Seconds without a round while nothing is in the way of one: beyond some failed attempts, and the
/// waits of a rendezvous that has come back.
constexpr double stuck_after = 60;

/// How the members of an attempt have ended it.
std::string endings(const seen_attempt& a)
{
    std::string text;
    for (const int m : a.members) {
        const auto found = a.ended.find(m);
        const std::string how = found == a.ended.end()  ? "has not told"
                                : found->second.empty() ? "succeeded"
                                                        : found->second;
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", process_name(m), how);
    }
    return text;
}

}  // namespace

/// Members are compared with themselves at times when they have the same links.
void director::sample()
{
    const double since = now() - sampled_;
    if (since < 1) return;
    sampled_ = now();
    for (auto& p : processes_)
        if (p.now) sample_processor(p, since);
    constexpr double warm_up = 15, fresh = 2;
    if (now() < warm_up) return;
    for (int i = 1; i <= lasting_members(options_.peers); ++i) {
        const auto& p = at(i);
        if (!p.now || struck(p) || now() > p.whole_at + fresh) continue;
        if (const auto r = resources_of(p.now->pid())) found_.lasting[i].add(*r);
    }
}

/// Who has had to wait for a processor for long may be late everywhere, through no fault of its
/// own.
void director::sample_processor(process& p, double since)
{
    constexpr double long_wait = 0.5;  // of the time
    const double waited = waited_for_processor(p.now->pid());
    if (waited - std::exchange(p.waited, waited) < long_wait * since) return;
    harm_.add(p.number, now() - since, now());
    p.felt_until = std::max(p.felt_until, now() + felt_for);
}

bool director::in_force(int process) const
{
    return std::ranges::any_of(lasting_,
                               [process](const planned_fault& f) { return befalls(f, process); });
}

bool director::struck(const process& p) const
{
    return now() < p.felt_until || in_force(p.number);
}

/// Whether nothing keeps the run from its next round.
bool director::may_go_on() const
{
    const auto free = std::ranges::count_if(
        processes_, [this](const process& p) { return p.number != 0 && !struck(p); });
    return !struck(processes_.front()) && 2 * free > options_.peers;
}

/// Ends the run when it is stuck, and tells what all were doing.
void director::watch()
{
    const double passed = now() - std::exchange(watched_, now());
    const bool free = may_go_on();
    if (free) unmet_ += passed;
    for (auto& p : processes_) {
        harm_.note(p.number, p.missed || struck(p), now());
        if (free && !struck(p)) p.behind += passed;
        if (p.behind < stuck_after || std::exchange(p.told_behind, true)) continue;
        fail(
            fmt::format("{} had no part in a round in {:.0f} s in which nothing happened to it: "
                        "{}",
                        process_name(p.number), stuck_after, p.does));
    }
    watch_attempts();
    if (unmet_ >= stuck_after) tell_stuck();
}

/// Attempts at rounds that are over: those go on whose majority is unharmed.
void director::watch_attempts()
{
    for (const auto& [seen, had_majority] : attempts_.take(harm_, now())) {
        const bool good = seen.completed();
        if (seen.faults > 0) {
            auto& fault = found_.faults[seen.faults - 1];
            if (!good) ++fault.failed;
            if (good && seen.without) ++fault.without;
        }
        if (!had_majority) continue;
        ++found_.with_majority;
        if (good)
            ++found_.completed_with_majority;
        else
            fail(
                fmt::format("round {} was not completed in an attempt of {:.1f} s of which a "
                            "majority was unharmed: {}",
                            seen.round + 1, seen.to - seen.from, endings(seen)));
    }
}

void director::tell_stuck()
{
    stuck_ = true;
    fail(
        fmt::format("no round was completed in {:.0f} s in which most members were unharmed; the "
                    "last was {}",
                    stuck_after, newest_));
    for (const auto& p : processes_)
        fail(fmt::format("  {}, {}, said {:.0f} s ago: {}", process_name(p.number),
                         !p.now      ? "away"
                         : p.stopped ? "stopped"
                                     : "there",
                         now() - p.said, p.does));
}

/// What shows at the end only.
void director::judge()
{
    for (const auto& [number, trend] : found_.lasting)
        if (const auto growth = trend.growth(); !growth.empty())
            fail(fmt::format("{} has grown: {}", process_name(number), growth));
}

}  // namespace papilio::example::chaos
