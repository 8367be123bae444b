#pragma once

#include "model/settings.hpp"
#include "model/state.hpp"
#include "model/steps.hpp"
#include "model/transitions.hpp"

#include <papilio/base/random.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::model {

/// A random way through the protocol, the same for the same seed: who promised, proposed, received
/// or voted what, one step after the other, and the state after each. Whatever implements the
/// protocol can be led along it, and compared.
class walk {
public:
    walk(const settings& of, std::uint64_t seed)
        : of_(of), draw_(seed), patience_(draw_.below(4) * 8), now_(initial(of))
    {
    }

    const settings& of() const noexcept { return of_; }
    const state& now() const noexcept { return now_; }

    /// Makes a step; nothing at the end, when no peer has one to make.
    std::optional<step> next()
    {
        options_.clear();
        for_each_step(of_, now_,
                      [&](const step& s, const state& after) { options_.emplace_back(s, after); });
        if (options_.empty()) return std::nullopt;
        auto choice = pick();
        // Each walk has a measure of its own for how seldom peers give a view up.
        for (std::uint64_t again = 0; again < patience_ && gives_up(choice); ++again)
            choice = pick();
        now_ = options_[choice].second;
        return options_[choice].first;
    }

private:
    std::size_t pick() { return static_cast<std::size_t>(draw_.below(options_.size())); }

    bool gives_up(std::size_t choice) const
    {
        return options_[choice].first.what == event::promises;
    }

    settings of_;
    random draw_;
    std::uint64_t patience_;
    state now_;
    std::vector<std::pair<step, state>> options_;
};

}  // namespace papilio::model
