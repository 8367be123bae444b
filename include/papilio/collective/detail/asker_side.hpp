#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/detail/holdings.hpp>
#include <papilio/collective/detail/window.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::detail {

/// The side of conversations that others' business is about: sends them this peer's versions, and
/// hears their results.
template <element T, class Codec>
class asker_side {
    using load_type = cargo<T, Codec>;
    static constexpr bool verbatim = load_type::verbatim;

public:
    asker_side(holdings<T, Codec>& held, thread_pool* pool)
        : held_(held), plan_(held.plan()), call_(held_.call()), pool_(pool)
    {
    }
    asker_side(const asker_side&) = delete;
    asker_side& operator=(const asker_side&) = delete;

    /// Adds to `work` the conversations of stage k about others' business, lane by lane, so that
    /// early columns go out to all first.
    void ask_all(int k, window& open, std::vector<task<>>& work)
    {
        auto peers = held_.met_in(k);
        std::erase_if(peers, [&](int peer) { return plan_.parts_of(peer, k).empty(); });
        const auto first = turns_.size();
        turns_.resize(first + peers.size());
        for (std::size_t lane = 0; lane < plan_.lanes; ++lane)
            for (std::size_t i = 0; i < peers.size(); ++i)
                work.push_back(call_.blaming(peers[i], phase::result,
                                             ask(k, peers[i], lane, turns_[first + i], open)));
    }

    /// Whether there is anybody to ask.
    bool asks() const noexcept { return !turns_.empty(); }

private:
    /// One lane of the conversation with `peer` about its business, of which `next` is the next
    /// column.
    task<> ask(int k, int peer, std::size_t lane, std::size_t& next, window& open)
    {
        const bool used = co_await open.uses(lane);
        if (!used) co_return;
        const auto parts = plan_.parts_of(peer, k);
        pooled_buffer space;
        while (next < plan_.columns) {
            const auto c = next++;
            const auto t = call_.name(message_kind::contribution, c);
            if (held_.folds()) {
                if (k > 0) {
                    co_await held_.at(k - 1, c).reduced.opened();
                }
                bytes message;
                auto prepare = [&] { message = contribution(k, parts, c, space); };
                if constexpr (verbatim) {
                    prepare();
                } else {
                    // Here, not on a worker, which has kept nothing: rooms return to this thread.
                    space.resize(held_.load().room_for_version(k, parts));
                    co_await offload(pool_, prepare);
                }
                co_await call_.send(peer, t, message);
            } else if (c >= plan_.lanes) {
                co_await call_.send(peer, t, bytes{});
            }
            if (!held_.gathers() && held_.needs_no_credit(c)) {
                open.answered();  // nobody owes one
                continue;
            }
            call_.expect(peer, message_kind::result);
            task<> heard = hear_results(k, peer, parts, c, space);
            co_await std::move(heard);
            open.answered();
        }
    }

    /// My version of the column of `parts`, behind the descriptor if it is the first; from those
    /// who have nothing to contribute, no more than a request for the result.
    bytes contribution(int k, const std::vector<int>& parts, std::size_t c, pooled_buffer& space)
    {
        const bool mine = call_.ballot().contributes_block(call_.me(), k);
        if (verbatim && c > 0 && held_.last(k) && mine)
            return std::as_bytes(held_.load().version(k, plan_.chunk(parts.front(), c)));
        const auto before = c == 0 ? load_type::head : 0;
        const auto to = space.resize(held_.load().room_for_version(k, parts));
        if (c == 0) std::ranges::copy(wire::encode(call_.ballot().descriptor(k)), to.begin());
        if (!mine) return to.first(before);
        const auto size = held_.load().write_version(k, c, parts, to.subspan(before));
        return to.first(before + size);
    }

    task<> hear_results(int k, int peer, const std::vector<int>& parts, std::size_t c,
                        pooled_buffer& space)
    {
        const auto t = call_.name(message_kind::result, c);
        std::vector<std::byte> passed_on;
        if (!held_.gathers()) {
            co_await call_.recv(peer, t, {});
            co_return;
        }
        if (verbatim && held_.last(k) && !held_.described_by_result(c)) {
            const auto out = held_.load().output(plan_.chunk(parts.front(), c));
            const auto size = co_await call_.recv(peer, t, std::as_writable_bytes(out));
            if (size != out.size_bytes())
                throw std::system_error(errc::bad_message, "a result of the wrong size");
        } else {
            const auto into = space.resize(held_.load().room_for_results(parts));
            const auto size = co_await call_.recv(peer, t, into);
            bytes message = into.first(size);
            if (held_.described_by_result(c)) {
                call_.ballot().check(message);
                message = message.subspan(load_type::head);
            }
            auto unpack_all = [&] { held_.load().read_results(k, c, parts, message); };
            co_await offload(pool_, unpack_all);
            if (!verbatim && k > 0) passed_on = held_.for_stage_before(k, message);
        }
        if (k > 0) held_.finish(k - 1, c, held_.digit_of(peer, k), std::move(passed_on));
    }

    holdings<T, Codec>& held_;
    const call_plan& plan_;
    call_run& call_;
    thread_pool* pool_;
    std::deque<std::size_t> turns_;  // of each conversation, which column is next
};

}  // namespace papilio::detail
