#include "schedule.hpp"

#include <papilio/base/random.hpp>

#include <algorithm>
#include <utility>

namespace papilio::example::chaos {

namespace {

constexpr double quiet_at_begin = 10;
constexpr double quiet_at_end = 15;
constexpr double spared = 4;  // seconds after a fault

class planner {
public:
    explicit planner(const schedule_options& o)
        : options_(o),
          draw_(hash(o.seed, o.members, o.kinds.size())),
          free_at_(static_cast<std::size_t>(o.members) + 1)
    {
    }

    std::vector<planned_fault> plan()
    {
        std::vector<planned_fault> all;
        const double end = options_.minutes * 60 - quiet_at_end;
        double due = quiet_at_begin;
        while (!options_.kinds.empty()) {
            const double earliest = all.empty() ? due : std::max(due, all.back().at);
            const planned_fault next = place(next_kind(), earliest);
            if (next.at + next.lasts > end) break;
            all.push_back(next);
            due += options_.every * (0.5 + draw_.uniform());
        }
        return all;
    }

private:
    /// Each kind once, in random order, and again.
    fault next_kind()
    {
        if (turn_.empty()) {
            turn_ = options_.kinds;
            for (std::size_t i = turn_.size(); i > 1; --i)
                std::swap(turn_[i - 1], turn_[draw_.below(i)]);
        }
        const fault kind = turn_.back();
        turn_.pop_back();
        return kind;
    }

    /// The fault of this kind at `at`, or as soon after it as there is whom it may happen to.
    planned_fault place(fault kind, double at)
    {
        planned_fault f{at, kind, 0, 0, length(kind)};
        auto whom = candidates(kind, f.at);
        while (whom.empty()) {
            f.at += 0.5;
            whom = candidates(kind, f.at);
        }
        f.process = draw_from(whom);
        strike(f.process, f);
        if (takes_two(kind)) {
            f.other = draw_from(others(f));
            strike(f.other, f);
        }
        return f;
    }

    double length(fault kind)
    {
        if (kind == fault::restart || kind == fault::link_down) return 0;
        return 1 + 7 * draw_.uniform();
    }

    /// Whom a fault of this kind may happen to: the host, or members as long as those with a fault
    /// stay fewer than half.
    std::vector<int> candidates(fault kind, double at) const
    {
        std::vector<int> found;
        if (kind == fault::host_kill || kind == fault::full_disk)
            if (is_free(0, at)) found.push_back(0);
        if (kind == fault::host_kill) return found;
        int struck = 0;
        for (int m = 1; m <= options_.members; ++m) struck += is_free(m, at) ? 0 : 1;
        if (2 * (struck + 1) >= options_.members) return found;
        const int first = ends_process(kind) ? lasting_members(options_.members) + 1 : 1;
        for (int m = first; m <= options_.members; ++m)
            if (is_free(m, at)) found.push_back(m);
        return found;
    }

    /// The other process of a fault that is about two: whoever is free, or else anybody.
    std::vector<int> others(const planned_fault& f) const
    {
        std::vector<int> found;
        for (int m = 0; m <= options_.members; ++m)
            if (m != f.process && is_free(m, f.at)) found.push_back(m);
        for (int m = 1; found.empty(); ++m)
            if (m != f.process) found.push_back(m);
        return found;
    }

    int draw_from(const std::vector<int>& choice) { return choice[draw_.below(choice.size())]; }

    void strike(int process, const planned_fault& f)
    {
        auto& free_at = free_at_[static_cast<std::size_t>(process)];
        free_at = std::max(free_at, f.at + f.lasts + spared);
    }

    bool is_free(int process, double at) const
    {
        return free_at_[static_cast<std::size_t>(process)] <= at;
    }

    schedule_options options_;
    random draw_;
    std::vector<fault> turn_;
    std::vector<double> free_at_;  // by process
};

}  // namespace

std::vector<planned_fault> schedule(const schedule_options& o)
{
    return planner(o).plan();
}

}  // namespace papilio::example::chaos
