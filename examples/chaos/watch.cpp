// What the director sees for itself, beside what processes report.

#include "director.hpp"
#include "resources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace papilio::example::chaos {

namespace {

constexpr double stuck_after = 60;  // seconds without a round

}  // namespace

void director::sample()
{
    if (now() < sampled_ + 1) return;
    sampled_ = now();
    constexpr double warm_up = 15;
    if (now() < warm_up) return;
    for (int i = 1; i <= lasting_members(options_.peers); ++i)
        if (const auto& p = at(i); p.now)
            if (const auto r = resources_of(p.now->pid())) found_.lasting[i].add(*r);
}

bool director::majority_lives() const
{
    const auto lives = std::ranges::count_if(processes_, [](const process& p) {
        return p.number != 0 && p.now != nullptr && !p.stopped;
    });
    return 2 * lives > options_.peers;
}

/// Ends the run when it is stuck, and tells what all were doing.
void director::watch()
{
    if (!majority_lives()) minority_ = now();
    if (now() - std::max(completed_, minority_) < stuck_after) return;
    stuck_ = true;
    fail(
        fmt::format("no round was completed in {:.0f} s, though most members live; the last was {}",
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
    for (const auto& m : found_.faults) {
        const double since = now() - (m.planned.at + m.planned.lasts);
        if (!m.back && since > stuck_after)
            fail(fmt::format("{} had no part in a round in the {:.0f} s since this ended: {}",
                             process_name(m.planned.process), since, to_string(m.planned)));
    }
    for (const auto& [number, trend] : found_.lasting)
        if (const auto growth = trend.growth(); !growth.empty())
            fail(fmt::format("{} has grown: {}", process_name(number), growth));
}

}  // namespace papilio::example::chaos
