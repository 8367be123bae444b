#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/wire/chunk_request.hpp>
#include <papilio/wire/proposal.hpp>

#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// Which chunks of the result are there: told by whoever writes them.
class chunk_keeper {
public:
    virtual ~chunk_keeper() = default;

    /// A chunk is about to be written: it is in no version until it is held.
    virtual void overwrite(std::size_t part, std::uint32_t column) = 0;

    /// A chunk is complete, in a version.
    virtual void hold(std::size_t part, std::uint32_t column, std::uint8_t version) = 0;
};

/// Reads what this peer's result holds.
class result_reader {
public:
    virtual ~result_reader() = default;

    /// A number for the elements of the chunks that have a version in `of`: the same for all who
    /// hold the same. 0 if there is no place here for one of those.
    virtual std::uint64_t digest_of(const chunk_versions& of) const = 0;
};

/// How much an observer has asked of a member, and has had from it.
struct fetched_stream {
    std::size_t requests = 0;
    std::size_t chunks = 0;
};

/// Moves the data of a call's views beyond 0.
class view_mover : public result_reader {
public:
    /// In a call that gathers, what a peer makes of its own part before it leaves view 0: all that
    /// is not in `held`, which is borrowed. From then on it has all of that part to give.
    virtual task<> make_own(chunk_versions& held) = 0;

    /// Sends an observer the chunks that it asks for, until it asks for none.
    virtual task<> serve(int observer) = 0;

    /// An observer's: has `giver` send the chunks `wanted`, which are held then, in the versions
    /// that `versions` names. Borrows what it is given.
    virtual task<> fetch(int giver, fetched_stream& so_far, const wire::chunk_request& wanted,
                         const chunk_versions& versions, chunk_versions& held) = 0;

    /// An observer's: tells `giver` that it has all.
    virtual void thank(int giver, const fetched_stream& so_far) = 0;

    /// Moves what the members of a view lack, as it has been settled. Finishes when this peer holds
    /// what it is to have, and the others have had from it what they lack; throws a `call_error`
    /// that names a culprit otherwise. May be dropped at any time. Borrows what it is given.
    virtual task<> move(const call_shape& call, const wire::proposal& settled,
                        chunk_keeper& keeper) = 0;
};

}  // namespace papilio::detail
