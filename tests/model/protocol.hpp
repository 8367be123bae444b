#pragma once

#include "model/invariants.hpp"
#include "model/settings.hpp"
#include "model/state.hpp"
#include "model/steps.hpp"
#include "model/transitions.hpp"

#include <string>
#include <utility>

namespace papilio::model {

/// The protocol of views, for `search` and `walk`.
struct protocol {
    using state = model::state;
    using step = model::step;

    settings of;

    state initial() const { return model::initial(of); }

    template <class State, class Visit>
    void visit_fields(State& s, Visit visit) const
    {
        model::visit_fields(of, s, std::move(visit));
    }

    template <class Take>
    void for_each_step(const state& now, Take take) const
    {
        model::for_each_step(of, now, std::move(take));
    }

    std::string violation(const state& s) const { return model::violation(of, s); }

    std::string text(const step& done, const state& after) const
    {
        return model::text(of, done, after);
    }
};

}  // namespace papilio::model
