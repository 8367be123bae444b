#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL std::size_t contribution_weights::take(int peer, bytes first)
{
    const auto theirs = check(first);
    const int k = stages().meeting(me_, peer);
    const auto behind = call_plan_.weights_in_contribution(k);
    const auto made_of = wire::parse_weights(first.subspan(wire::descriptor::encoded_size), behind);
    const auto size = wire::descriptor::encoded_size + behind * sizeof(double);
    if (!contributes_block(peer, k)) return size;
    check_present(theirs.weight);
    if (behind > 0 && theirs.weight != block_weight({made_of.begin(), made_of.end()}, k))
        throw std::system_error(errc::mismatch, "its weight is not the sum of those it names");
    told_[index(k)][index(stages().digit(peer, k))] = theirs.weight;
    if (has_voted(peer, k)) check_block(peer, k);
    if (k == 0) weights_[index(peer)] = theirs.weight;
    hear_of(stages().block(peer, k), made_of);
    return size;
}

PAPILIO_DECL void contribution_weights::note(int peer, double weight)
{
    const bool may = contributes(call_plan_.roles[index(peer)]);
    if (!wire::valid_weight(weight) || (!may && weight != 0))
        throw std::system_error(errc::bad_message, "a vote names an invalid weight for peer " +
                                                       std::to_string(peer) + ": " +
                                                       std::to_string(weight));
    if (may) check_present(weight);
    auto& known = weights_[index(peer)];
    if (known && *known != weight)
        throw std::system_error(errc::mismatch, "it told two different weights");
    known = weight;
}

}  // namespace papilio::detail
