#include "attempts.hpp"

#include <algorithm>
#include <utility>

namespace papilio::example::chaos {

bool seen_attempt::completed() const
{
    const auto good = std::ranges::count_if(ended, [](const auto& e) { return e.second.empty(); });
    return 2 * static_cast<std::size_t>(good) > members.size();
}

void attempts::add(int member, const attempt_ended& a, double now, std::size_t faults)
{
    const auto [found, is_first] = all_.try_emplace(a.group);
    auto& seen = found->second.seen;
    if (is_first) {
        seen.round = a.round;
        seen.members = a.members;
        seen.from = now - a.seconds;
        seen.faults = faults;
    }
    seen.from = std::min(seen.from, now - a.seconds);
    seen.to = now;
    seen.ended[member] = a.ok ? "" : a.why;
    seen.without |= a.ok && !a.without.empty();
}

std::vector<judged_attempt> attempts::take(const harm& to_whom, double now)
{
    constexpr double told_within = 30;  // seconds from its begin
    constexpr double known_after = 2;   // seconds: what has befallen whom meanwhile
    constexpr double forgotten_after = 300;
    std::vector<judged_attempt> over;
    for (auto& [group, known] : all_) {
        const auto& seen = known.seen;
        const auto unharmed_until = [&](double until) {
            return [&, until](int m) { return !to_whom.any(m, seen.from, until); };
        };
        const auto is_told = [&, unharmed = unharmed_until(now)](int m) {
            return seen.ended.contains(m) || !unharmed(m);
        };
        const bool told = std::ranges::all_of(seen.members, is_told);
        if (known.judged || now < seen.to + known_after) continue;
        if (!told && now < seen.from + told_within) continue;
        known.judged = true;
        const auto unharmed = unharmed_until(seen.to);
        const auto kept = std::ranges::count_if(seen.members, unharmed);
        const bool majority = 2 * static_cast<std::size_t>(kept) > seen.members.size();
        over.push_back({seen, majority && unharmed(0)});
    }
    std::erase_if(all_, [&](const auto& entry) {
        return entry.second.judged && now > entry.second.seen.from + forgotten_after;
    });
    return over;
}

}  // namespace papilio::example::chaos
