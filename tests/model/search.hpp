#pragma once

#include "model/packed_states.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Breadth first through all states of a model, each checked, until one is wrong.
namespace papilio::model {

struct findings {
    std::size_t states = 0;
    bool all = false;                ///< there are no others
    std::string violation;           ///< in words; empty: there is none
    std::vector<std::string> trace;  ///< the steps that lead to it, no fewer do
};

namespace detail {

/// What led from state to state: of several ways, the one that the search took.
template <class Model>
std::vector<std::string> trace_to(const Model& model, const packed_states<Model>& states,
                                  const std::vector<std::uint32_t>& parents, std::uint32_t last)
{
    std::vector<std::string> trace;
    for (auto i = last; i != 0; i = parents[i]) {
        const auto target = states[i];
        std::string how;
        model.for_each_step(states[parents[i]], [&](const auto& step, const auto& next) {
            if (how.empty() && next == target) how = model.text(step, next);
        });
        trace.push_back(how);
    }
    std::ranges::reverse(trace);
    return trace;
}

}  // namespace detail

/// Stops when so many states are known.
template <class Model>
findings search(const Model& model, std::size_t limit = std::size_t{1} << 31)
{
    packed_states<Model> states(model);
    std::vector<std::uint32_t> parents{0};  // of each state, the one that it was found from
    states.insert(model.initial());
    findings found;
    for (std::uint32_t i = 0; i < states.size() && states.size() < limit; ++i) {
        const auto now = states[i];
        found.violation = model.violation(now);
        if (!found.violation.empty()) {
            found.trace = detail::trace_to(model, states, parents, i);
            break;
        }
        model.for_each_step(now, [&](const auto&, const auto& next) {
            if (states.insert(next)) parents.push_back(i);
        });
        found.all = i + 1 == states.size();
    }
    found.states = states.size();
    return found;
}

}  // namespace papilio::model
