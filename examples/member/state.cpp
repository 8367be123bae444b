#include "state.hpp"

#include <trainer/digest.hpp>

namespace papilio::example {

shared_state first_state(std::span<const float> weights)
{
    auto s = std::make_shared<state_snapshot>();
    s->spans.emplace_back(weights.begin(), weights.end());
    s->spans.emplace_back(weights.size());
    return s;
}

std::vector<std::size_t> state_sizes(std::size_t parameters)
{
    return {parameters, parameters};
}

std::shared_ptr<state_snapshot> next_state(const state_snapshot& from)
{
    auto s = std::make_shared<state_snapshot>();
    s->round = from.round + 1;
    s->spans.emplace_back(weights(from).size());
    s->spans.emplace_back(weights(from).size());
    return s;
}

void advance(const state_snapshot& from, state_snapshot& next, outer_options o)
{
    // The new weights overwrite the gradient: each tile is read before it is written.
    const outer_buffers buffers{weights(from), momentum(from), next.spans[0], next.spans[1]};
    outer_step(buffers, next.spans[0], o);
}

std::string digest(const state_snapshot& s)
{
    sha256 all;
    std::array<std::byte, sizeof s.round> round;
    store(round.data(), s.round);
    all.update(round);
    for (const auto& span : s.spans) all.update(std::as_bytes(std::span(span)));
    return all.hex();
}

}  // namespace papilio::example
