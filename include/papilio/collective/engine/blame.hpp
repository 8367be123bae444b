#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/call_error.hpp>

#include <cstddef>
#include <string>
#include <system_error>

// Faults in the data of a call, as errors that say whose they are.
namespace papilio::inline PAPILIO_MODE::detail {

/// Runs `work`; a fault in it is a fault in `peer`'s contribution.
template <class Work>
void blame_contribution(int peer, int me, const Work& work)
{
    try {
        work();
    } catch (const std::system_error& failure) {
        throw call_error(failure.code(), peer, me, phase::contribution, sentence(failure));
    }
}

/// A chunk from `peer` that its codec cannot have encoded: the only size is `right`, or the
/// largest.
inline call_error wrong_size(int peer, int me, std::size_t size, std::size_t right)
{
    return {errc::bad_message, peer, me, phase::contribution,
            "a chunk of " + std::to_string(size) + " bytes, not " + std::to_string(right)};
}

/// A result that is received where it belongs is of this size, and no other.
inline void require_result_size(std::size_t size, std::size_t right)
{
    if (size != right)
        throw std::system_error(errc::bad_message, "a result of " + std::to_string(size) +
                                                       " bytes, not " + std::to_string(right));
}

/// All peers have come, and the weight of each is 0.
inline call_error nobody_contributes(int me)
{
    return {errc::no_contribution, -1, me, phase::contribution,
            "every peer's weight is 0, so that there is nothing to reduce"};
}

/// Runs `work`, which reduces contributions that are sound each by itself. A fault in it, such as a
/// sum beyond the codec's range, is no single peer's.
template <class Work>
void blame_result(int me, const Work& work)
{
    try {
        work();
    } catch (const call_error&) {
        throw;
    } catch (const std::system_error& failure) {
        throw call_error(failure.code(), -1, me, phase::contribution,
                         "the result: " + sentence(failure));
    }
}

}  // namespace papilio::detail
