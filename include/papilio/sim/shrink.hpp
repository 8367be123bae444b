#pragma once

#include <papilio/base/config.hpp>
#include <papilio/sim/faults.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// Whether a run with these faults still fails.
using still_fails = std::function<bool(const schedule&)>;

/// The smallest schedule that is found to fail still, by leaving out faults and weakening others
/// for as long as that works: a fault is weaker if it ends earlier, delays less, is about fewer
/// peers, or happens at a rounder time. Asks `fails` at most `tries` times.
schedule shrink(schedule failing, const still_fails& fails, int tries = 1000);

}  // namespace papilio::sim

namespace papilio::inline PAPILIO_MODE::sim::detail {

/// This time in fewer digits: whole seconds, if that is not the same, or else whole ms, and so on.
inline std::vector<duration> rounder(duration t)
{
    std::vector<duration> all;
    for (const std::int64_t unit : {100'000'000, 10'000'000, 1'000'000, 100'000, 10'000})
        if (t.count() % unit != 0) all.emplace_back(t.count() / unit * unit);
    return all;
}

/// What is weaker than this by one step, the weakest first.
inline std::vector<fault> weaker(const fault& f)
{
    std::vector<fault> all;
    const auto with = [&](auto change) {
        fault other = f;
        change(other);
        if (other != f) all.push_back(std::move(other));
    };
    const duration least = std::chrono::microseconds(1);
    if (f.what == verb::partition)
        for (std::size_t i = 0; i < f.peers.size() && f.peers.size() > 1; ++i)
            with(
                [i](fault& o) { o.peers.erase(o.peers.begin() + static_cast<std::ptrdiff_t>(i)); });
    if (f.lasts > least) with([&](fault& o) { o.lasts = std::max(o.lasts / 2, least); });
    if (f.by > least) with([&](fault& o) { o.by = std::max(o.by / 2, least); });
    for (const auto t : rounder(f.at)) with([t](fault& o) { o.at = t; });
    for (const auto t : rounder(f.lasts))
        if (t != duration{}) with([t](fault& o) { o.lasts = t; });
    for (const auto t : rounder(f.by)) with([t](fault& o) { o.by = t; });
    return all;
}

/// Tries schedules that are smaller than the smallest one known.
class shrinker {
public:
    shrinker(schedule failing, const still_fails& fails, int tries)
        : known_(std::move(failing)), fails_(fails), left_(tries)
    {
    }

    schedule run()
    {
        while (left_ > 0 && (leave_one_out() || weaken_one())) {
        }
        return std::move(known_);
    }

private:
    bool adopt(schedule smaller)
    {
        if (left_-- <= 0 || !fails_(smaller)) return false;
        known_ = std::move(smaller);
        return true;
    }

    bool leave_one_out()
    {
        for (std::size_t i = known_.size(); i-- > 0;) {
            auto without = known_;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            if (adopt(std::move(without))) return true;
        }
        return false;
    }

    bool weaken_one()
    {
        for (std::size_t i = 0; i < known_.size(); ++i)
            for (auto& other : weaker(known_[i])) {
                auto changed = known_;
                changed[i] = std::move(other);
                if (adopt(std::move(changed))) return true;
            }
        return false;
    }

    schedule known_;
    const still_fails& fails_;
    int left_;
};

}  // namespace papilio::sim::detail

namespace papilio::inline PAPILIO_MODE::sim {

inline schedule shrink(schedule failing, const still_fails& fails, int tries)
{
    return detail::shrinker(std::move(failing), fails, tries).run();
}

}  // namespace papilio::sim
