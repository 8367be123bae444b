#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/detail/fold_chunk.hpp>
#include <papilio/collective/detail/holdings.hpp>
#include <papilio/collective/detail/window.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <deque>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::detail {

/// The side of conversations that this peer's own business is about: takes in the versions of
/// those whom it meets, folds them, and serves them the results.
template <element T, class Op, class Codec>
class owner_side {
    using load_type = cargo<T, Codec>;
    using scratch = std::vector<typename load_type::value>;

public:
    owner_side(holdings<T, Codec>& held, Op op, thread_pool* pool)
        : held_(held), plan_(held.plan()), call_(held_.call()), op_(op), pool_(pool)
    {
    }
    owner_side(const owner_side&) = delete;
    owner_side& operator=(const owner_side&) = delete;

    /// Adds to `work` the conversations of stage k about this peer's business.
    void serve_all(int k, window& open, std::vector<task<>>& work)
    {
        for (const int peer : held_.met_in(k)) {
            auto& next = turns_.emplace_back(0);
            for (std::size_t lane = 0; lane < lanes(k); ++lane)
                if (votes(call_.of(peer)))
                    work.push_back(
                        call_.blaming(peer, phase::contribution, serve(k, peer, lane, next, open)));
        }
    }

    /// Hands my part to an observer. One that fails is left behind.
    task<> serve_observer(int peer, window& open)
    {
        std::vector<task<>> all;
        std::size_t next = 0;
        for (std::size_t lane = 0; lane < lanes(0); ++lane)
            all.push_back(serve(0, peer, lane, next, open));
        try {
            co_await when_all(std::move(all));
            call_.served(peer);
        } catch (const std::system_error&) {
            // It stays on the list of those that were not served.
        }
    }

    /// Sets going what waits for nobody: own parts that are gathered, and columns to which nobody
    /// else contributes.
    task<> begin()
    {
        for (int k = 0; k < held_.stages(); ++k)
            for (std::size_t c = 0; c < held_.at(k).columns.size(); ++c) {
                if (!held_.folds() && held_.last(k)) {
                    co_await gather_own(c);
                }
                if (held_.folds() && held_.at(k).others == 0) {
                    if (!held_.at(k).own) held_.at(k, c).reduced.open();
                    if (held_.at(k).own && k == 0) {
                        co_await reduce(k, c);
                    }
                }
            }
    }

    /// Notes when all of my part is done.
    task<> watch_part()
    {
        auto& mine = held_.at(held_.stages() - 1).columns;
        for (auto& c : mine) {
            if (held_.folds())
                co_await c.reduced.opened();
            else
                co_await c.ready.opened();
        }
        if (held_.folds() && !mine.empty()) call_.ballot().reduced();
        loop& on = co_await this_loop{};
        call_.part_reduced(on.now());
    }

private:
    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }

    std::size_t lanes(int k) { return std::min(held_.at(k).columns.size(), plan_.lanes); }

    /// One lane of the conversation with `peer` about it, of which `next` is the next column.
    task<> serve(int k, int peer, std::size_t lane, std::size_t& next, window& open)
    {
        const bool used = co_await open.uses(lane);
        if (!used) co_return;
        const auto most = held_.folds() ? held_.load().room_for_version(k, held_.at(k).parts) : 0;
        pooled_buffer& space = rooms_.emplace_back(most);
        const auto into = space.get();
        while (next < plan_.columns) {
            const auto c = next++;
            if (held_.folds() || c >= plan_.lanes) {
                call_.expect(peer, message_kind::contribution);
                const auto t = call_.name(message_kind::contribution, c);
                const auto size = co_await call_.recv(peer, t, into);
                if (held_.folds()) {
                    task<> folded = fold_in(k, peer, c, into.first(size));
                    co_await std::move(folded);
                }
            }
            if (next >= plan_.columns) space = pooled_buffer();
            if (!held_.gathers() && held_.needs_no_credit(c)) continue;
            if (held_.gathers()) {
                co_await held_.at(k, c).ready.opened();
            }
            const auto message = held_.results(k, c);
            co_await call_.send(peer, call_.name(message_kind::result, c), message);
            held_.served(k, c);
        }
    }

    /// A peer's version of column c has come; lasts until the column is reduced. Until then the
    /// bytes stay in the lane's buffer.
    task<> fold_in(int k, int peer, std::size_t c, bytes message)
    {
        if (c > 0) {
            co_await held_.at(k).described.opened();
        }
        const bool complete = take(k, peer, c, message);
        if (complete)
            co_await reduce(k, c);
        else
            co_await held_.at(k, c).reduced.opened();
    }

    /// Notes a peer's version of column c; true if it was the last one missing.
    bool take(int k, int peer, std::size_t c, bytes message)
    {
        auto& mine = held_.at(k);
        if (c == 0) {
            call_.ballot().weigh(peer, message);
            message = message.subspan(load_type::head);
        }
        if (!call_.ballot().contributes_block(peer, k)) {
            if (!message.empty()) throw std::system_error(errc::bad_message, "nothing to add");
            return false;
        }
        auto& versions = held_.at(k, c).versions;
        versions.resize(index(plan_.stages.radix(k)));
        versions[index(held_.digit_of(peer, k))] =
            held_.load().split_version(k, c, mine.parts, message);
        if (c == 0 && --mine.undescribed == 0) mine.described.open();
        return --held_.at(k, c).awaited == 0;
    }

    task<> reduce(int k, std::size_t c)
    {
        const auto weights = call_.ballot().weights(k);
        scratch decoded;
        if (!spare_.empty()) {
            decoded = std::move(spare_.back());
            spare_.pop_back();
        }
        std::vector<std::byte> encoded;
        auto fold = [&] { fold_column(k, c, weights, decoded, encoded); };
        try {
            co_await offload(pool_, fold);
        } catch (const call_error&) {
            throw;
        } catch (const std::system_error& failure) {
            // A result beyond what the codec takes is nobody's fault alone.
            throw call_error(failure.code(), -1, call_.me(), phase::contribution,
                             "the result: " + sentence(failure));
        }
        spare_.push_back(std::move(decoded));
        held_.at(k, c).versions.clear();
        held_.at(k, c).reduced.open();
        if (held_.last(k)) {
            if (held_.gathers()) held_.finish(k, c, 0, std::move(encoded));
        } else if (!held_.at(k + 1).columns.empty() && --held_.at(k + 1, c).awaited == 0) {
            co_await reduce(k + 1, c);
        }
    }

    void fold_column(int k, std::size_t c, const std::vector<double>& weights, scratch& decoded,
                     std::vector<std::byte>& encoded)
    {
        for (std::size_t i = 0; i < held_.at(k).parts.size(); ++i) {
            const auto where = plan_.chunk(held_.at(k).parts[i], c);
            const auto versions = versions_of(k, c, i, where);
            const bool travels = held_.last(k) && held_.gathers() && !load_type::verbatim;
            const auto fold = [&](const auto& from, auto& space) {
                const chunk_fold folded(op_, from, held_.load().back(), where, call_.me(),
                                        std::span<const version<T>>(versions), weights);
                folded(space, held_.load().output(where), travels ? &encoded : nullptr);
            };
            if (k == 0) {
                fold(held_.load().codec(), decoded);
            } else if constexpr (std::same_as<typename load_type::back_value,
                                              typename load_type::value>) {
                fold(held_.load().back(), decoded);
            } else {  // 16-bit floats whose sums travel as such, and need next to no room
                std::vector<typename load_type::back_value> others;
                fold(held_.load().back(), others);
            }
        }
    }

    /// What is to be folded into part i, in rank order.
    std::vector<version<T>> versions_of(int k, std::size_t c, std::size_t i, part where)
    {
        std::vector<version<T>> found;
        for (int d = 0; d < plan_.stages.radix(k); ++d) {
            const int peer = plan_.stages.partner(call_.me(), k, d);
            if (!call_.ballot().contributes_block(peer, k)) continue;
            if (peer != call_.me())
                found.push_back({peer, held_.at(k, c).versions[index(d)][i], {}});
            else
                found.push_back({-1, {}, held_.load().version(k, where)});
        }
        return found;
    }

    task<> gather_own(std::size_t c)
    {
        std::vector<std::byte> encoded;
        auto encode = [&] { encoded = held_.load().encode_own(c); };
        co_await offload(pool_, encode);
        held_.finish(held_.stages() - 1, c, 0, std::move(encoded));
    }

    holdings<T, Codec>& held_;
    const call_plan& plan_;
    call_run& call_;
    Op op_;
    thread_pool* pool_;
    std::deque<std::size_t> turns_;  // of each conversation, which column is next
    std::vector<scratch> spare_;     // room for decoded versions, used again and again

    // Of all lanes; not in their frames, since a worker may still read them when those are dropped.
    std::deque<pooled_buffer> rooms_;
};

}  // namespace papilio::detail
