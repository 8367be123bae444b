#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/chunk_request.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How an observer gets what it lacks of a call that has ended in a later view: as elements, from
/// members that hold it. Requests and chunks are numbered, from the number of columns on, so that
/// their tags are no other messages' of view 0 or a later one.
class observer_transfer {
public:
    observer_transfer(peer_io& io, const call_plan& plan, const call_data& data)
        : io_(io), plan_(plan), data_(data)
    {
    }

    /// A member's side.
    task<> serve(int observer)
    {
        std::vector<std::byte> into(wire::most_chunks_requested * sizeof(std::uint32_t));
        fetched_stream so_far;
        for (;;) {
            const auto request = tag_for(message_kind::contribution, so_far.requests++);
            const auto size = co_await io_.hear(observer, request, into);
            const auto wanted =
                wire::parse_chunk_request(bytes(into).first(size), extent_of(plan_));
            if (wanted.empty()) co_return;
            for (const auto number : wanted) {
                const auto chunk = tag_for(message_kind::result, so_far.chunks++);
                co_await io_.send(observer, chunk, data_.output(place_of(number)));
            }
        }
    }

    /// An observer's side.
    task<> fetch(int giver, fetched_stream& so_far, const wire::chunk_request& wanted,
                 const chunk_versions& versions, chunk_versions& held)
    {
        const auto asked = wire::encode(wanted);
        co_await io_.send(giver, tag_for(message_kind::contribution, so_far.requests++), asked);
        for (const auto number : wanted) {
            const auto part = number / plan_.columns;
            const auto column = static_cast<std::uint32_t>(number % plan_.columns);
            held.set(part, column, wire::no_view);
            const auto into = data_.overwrite(place_of(number));
            const auto chunk = tag_for(message_kind::result, so_far.chunks++);
            const auto size = co_await io_.hear(giver, chunk, into);
            require_result_size(size, into.size());
            held.set(part, column, versions.at(part, column));
        }
    }

    /// The same: it has all.
    void thank(int giver, const fetched_stream& so_far)
    {
        io_.post(giver, tag_for(message_kind::contribution, so_far.requests), bytes{});
    }

private:
    part place_of(std::uint32_t number) const
    {
        return plan_.chunk(static_cast<int>(number / plan_.columns), number % plan_.columns);
    }

    /// Throws where there is no number any more: no honest observer asks so often.
    tag tag_for(message_kind kind, std::size_t i) const
    {
        if (plan_.columns + i > max_call_index)
            throw std::system_error(errc::bad_message, "an observer asks without an end");
        return io_.tag_for(kind, plan_.columns + i);
    }

    peer_io& io_;
    const call_plan& plan_;
    const call_data& data_;
};

}  // namespace papilio::detail
