#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/room.hpp>
#include <papilio/collective/detail/business.hpp>
#include <papilio/collective/detail/cargo.hpp>
#include <papilio/collective/detail/fold_chunk.hpp>
#include <papilio/collective/detail/plan.hpp>
#include <papilio/collective/detail/round.hpp>
#include <papilio/collective/detail/window.hpp>
#include <papilio/op/base.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace papilio::detail {

/// Which halves of an all-reduce take place.
enum class halves : std::uint8_t {
    both,            ///< contributions go to the owners, and results come from them
    reduce_scatter,  ///< contributions only
    all_gather,      ///< results only, each owner's own
};

/// The mixed-radix butterfly. In each stage of the way there, a peer sends each peer it meets the
/// parts that are the other's business from now on, and folds what it is sent about its own; after
/// the last stage everybody owns a reduced part, whose bytes go back through the same stages, and
/// are passed on as they came. In a single stage everybody sends each owner its version of the
/// owner's part, and the owner sends everybody the result: a lossy codec rounds twice then, and
/// once more for each further stage.
///
/// Parts move in columns, and columns in lanes. A lane between two peers that meet is one
/// conversation: my version out, the result back, next column. So the result is the credit for the
/// next contribution, and never more than `lanes` messages are under way between two peers in one
/// direction, however early or late either of them is; fewer where a `window` says so. Where only
/// one of the two carries data, the other is an empty message, and left out where no later column
/// needs the credit.
template <element T, class Op, class Codec>
class engine {
    using load = cargo<T, Codec>;
    static constexpr bool verbatim = load::verbatim;

public:
    engine(round& r, const round_plan& plan, halves what, buffers<T> data, Op op, Codec codec,
           workers* pool)
        : round_(r),
          plan_(plan),
          what_(what),
          load_(plan, data, codec, r.me()),
          op_(op),
          pool_(pool)
    {
        for (int k = 0; k < stages(); ++k) business_.emplace_back(plan, r.ballot(), r.me(), k);
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Moves everything between members. `out` is complete when it finishes.
    task<> move()
    {
        std::vector<task<>> work;
        for (int k = 0; k < stages(); ++k) serve_all(k, work);
        for (int k = 0; k < stages(); ++k) exchange_all(k, work);
        work.push_back(begin());
        work.push_back(watch_part());
        co_await open_window();
        co_await when_all(std::move(work));
    }

    /// Hands my part to the observers. One that fails is left behind.
    task<> serve_observers()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < round_.size(); ++peer)
            if (peer != round_.me() && !votes(round_.of(peer)))
                work.push_back(serve_observer(peer));
        co_await when_all(std::move(work));
    }

private:
    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }

    /// Who has nobody to ask for results gets no answer that could be late.
    task<> open_window()
    {
        loop& on = co_await this_loop{};
        if (asks_ && plan_.near_lanes < plan_.lanes && round_.all_are_near())
            window_.open(on, plan_.near_lanes);
        else
            window_.open_wide();
    }

    int stages() const { return plan_.stages.stages(); }
    bool last(int k) const { return k + 1 == stages(); }
    bool folds() const noexcept { return what_ != halves::all_gather; }
    bool gathers() const noexcept { return what_ != halves::reduce_scatter; }
    int digit_of(int peer, int k) const { return plan_.stages.digit(peer, k); }
    business& at(int k) { return business_[index(k)]; }
    column& at(int k, std::size_t c) { return at(k).columns[c]; }

    /// The others of my group in stage k, from my neighbour on around the ring: no peer is
    /// everybody's first.
    std::vector<int> met_in(int k) const
    {
        std::vector<int> peers;
        const int radix = plan_.stages.radix(k), mine = digit_of(round_.me(), k);
        for (int step = 1; step < radix; ++step)
            peers.push_back(plan_.stages.partner(round_.me(), k, (mine + step) % radix));
        return peers;
    }

    /// Where there are no contributions, the first result carries the descriptor.
    bool described_by_result(std::size_t c) const noexcept { return !folds() && c == 0; }

    bool needs_no_credit(std::size_t c) const noexcept { return c + plan_.lanes >= plan_.columns; }

    // ---- What is this peer's business after stage k.

    void serve_all(int k, std::vector<task<>>& work)
    {
        for (const int peer : met_in(k)) {
            auto& next = turns_.emplace_back(0);
            for (std::size_t lane = 0; lane < lanes_about_mine(k); ++lane)
                if (votes(round_.of(peer)))
                    work.push_back(
                        round_.blaming(peer, phase::contribution, serve(k, peer, lane, next)));
        }
    }

    task<> serve_observer(int peer)
    {
        std::vector<task<>> lanes;
        std::size_t next = 0;
        for (std::size_t lane = 0; lane < lanes_about_mine(0); ++lane)
            lanes.push_back(serve(0, peer, lane, next));
        try {
            co_await when_all(std::move(lanes));
            round_.served(peer);
        } catch (const std::system_error&) {
            // It stays on the list of those that were not served.
        }
    }

    std::size_t lanes_about_mine(int k) { return std::min(at(k).columns.size(), plan_.lanes); }

    /// One lane of the conversation with `peer` about it, of which `next` is the next column.
    task<> serve(int k, int peer, std::size_t lane, std::size_t& next)
    {
        const bool used = co_await window_.uses(lane);
        if (!used) co_return;
        const auto most = folds() ? load_.room_for_version(k, at(k).parts) : 0;
        room space(most);
        const auto into = space.get();
        while (next < plan_.columns) {
            const auto c = next++;
            if (folds() || c >= plan_.lanes) {
                round_.expect(peer, message_kind::contribution);
                const auto t = round_.name(message_kind::contribution, c);
                const auto size = co_await round_.recv(peer, t, into);
                if (folds()) {
                    task<> folded = fold_in(k, peer, c, into.first(size));
                    co_await std::move(folded);
                }
            }
            if (next >= plan_.columns) space = room();
            if (!gathers() && needs_no_credit(c)) continue;
            if (gathers()) {
                co_await at(k, c).ready.opened();
            }
            const auto message = results(k, c);
            co_await round_.send(peer, round_.name(message_kind::result, c), message);
            if (--at(k, c).unserved == 0) at(k, c).message = {};
        }
    }

    /// A peer's version of column c has come; lasts until the column is reduced. Until then the
    /// bytes stay in the lane's room.
    task<> fold_in(int k, int peer, std::size_t c, bytes message)
    {
        if (c > 0) {
            co_await at(k).described.opened();
        }
        const bool complete = take(k, peer, c, message);
        if (complete)
            co_await reduce(k, c);
        else
            co_await at(k, c).reduced.opened();
    }

    /// Notes a peer's version of column c; true if it was the last one missing.
    bool take(int k, int peer, std::size_t c, bytes message)
    {
        auto& mine = at(k);
        if (c == 0) {
            round_.ballot().weigh(peer, message);
            message = message.subspan(load::head);
        }
        if (!round_.ballot().contributes_block(peer, k)) {
            if (!message.empty()) throw std::system_error(errc::bad_message, "nothing to add");
            return false;
        }
        auto& versions = at(k, c).versions;
        versions.resize(index(plan_.stages.radix(k)));
        versions[index(digit_of(peer, k))] = load_.split_version(k, c, mine.parts, message);
        if (c == 0 && --mine.undescribed == 0) mine.described.open();
        return --at(k, c).awaited == 0;
    }

    /// Sets going what waits for nobody: own parts that are gathered, and columns to which nobody
    /// else contributes.
    task<> begin()
    {
        for (int k = 0; k < stages(); ++k)
            for (std::size_t c = 0; c < at(k).columns.size(); ++c) {
                if (!folds() && last(k)) {
                    co_await gather_own(c);
                }
                if (folds() && at(k).others == 0) {
                    if (!at(k).own) at(k, c).reduced.open();
                    if (at(k).own && k == 0) {
                        co_await reduce(k, c);
                    }
                }
            }
    }

    /// Notes when all of my part is done.
    task<> watch_part()
    {
        auto& mine = at(stages() - 1).columns;
        for (auto& c : mine) {
            if (folds())
                co_await c.reduced.opened();
            else
                co_await c.ready.opened();
        }
        if (folds() && !mine.empty()) round_.ballot().reduced();
        loop& on = co_await this_loop{};
        round_.part_reduced(on.now());
    }

    task<> reduce(int k, std::size_t c)
    {
        const auto weights = round_.ballot().weights(k);
        scratch room;
        if (!spare_.empty()) {
            room = std::move(spare_.back());
            spare_.pop_back();
        }
        std::vector<std::byte> encoded;
        auto fold = [&] { fold_column(k, c, weights, room, encoded); };
        try {
            co_await offload(pool_, fold);
        } catch (const round_error&) {
            throw;
        } catch (const std::system_error& failure) {
            // A result beyond what the codec takes is nobody's fault alone.
            throw round_error(failure.code(), -1, round_.me(), phase::contribution,
                              "the result: " + sentence(failure));
        }
        spare_.push_back(std::move(room));
        at(k, c).versions.clear();
        at(k, c).reduced.open();
        if (last(k)) {
            if (gathers()) finish(k, c, 0, std::move(encoded));
        } else if (!at(k + 1).columns.empty() && --at(k + 1, c).awaited == 0) {
            co_await reduce(k + 1, c);
        }
    }

    using scratch = std::vector<typename load::value>;

    void fold_column(int k, std::size_t c, const std::vector<double>& weights, scratch& room,
                     std::vector<std::byte>& encoded)
    {
        for (std::size_t i = 0; i < at(k).parts.size(); ++i) {
            const auto where = plan_.chunk(at(k).parts[i], c);
            const auto versions = versions_of(k, c, i, where);
            const bool travels = last(k) && gathers() && !verbatim;
            const auto fold = [&](const auto& from, auto& space) {
                const chunk_fold folded(op_, from, load_.back(), where, round_.me(),
                                        std::span<const version<T>>(versions), weights);
                folded(space, load_.output(where), travels ? &encoded : nullptr);
            };
            if (k == 0) {
                fold(load_.codec(), room);
            } else if constexpr (std::same_as<typename load::back_value, typename load::value>) {
                fold(load_.back(), room);
            } else {  // 16-bit floats whose sums travel as such, and need next to no room
                std::vector<typename load::back_value> other_room;
                fold(load_.back(), other_room);
            }
        }
    }

    /// What is to be folded into part i, in rank order.
    std::vector<version<T>> versions_of(int k, std::size_t c, std::size_t i, part where)
    {
        std::vector<version<T>> found;
        for (int d = 0; d < plan_.stages.radix(k); ++d) {
            const int peer = plan_.stages.partner(round_.me(), k, d);
            if (!round_.ballot().contributes_block(peer, k)) continue;
            if (peer != round_.me())
                found.push_back({peer, at(k, c).versions[index(d)][i], {}});
            else
                found.push_back({-1, {}, load_.version(k, where)});
        }
        return found;
    }

    task<> gather_own(std::size_t c)
    {
        std::vector<std::byte> encoded;
        auto encode = [&] { encoded = load_.encode_own(c); };
        co_await offload(pool_, encode);
        finish(stages() - 1, c, 0, std::move(encoded));
    }

    /// The results of column c that `digit` of stage k + 1 owns, or I in the last stage, are in
    /// `out`, and travel on as `encoded`. With the last of them those whom I meet in stage k can
    /// have all, and the stage before has one digit's more.
    void finish(int k, std::size_t c, std::size_t digit, std::vector<std::byte> encoded)
    {
        auto& done = at(k, c);
        if constexpr (!verbatim) done.results[digit] = std::move(encoded);
        if (--done.unfinished > 0) return;
        done.message = joined(std::exchange(done.results, {}));
        std::vector<std::byte> passed_on;
        if (!verbatim && k > 0) passed_on = for_stage_before(k, done.message);
        if (!verbatim && described_by_result(c)) describe(k, done.message);
        done.ready.open();
        if (k > 0) finish(k - 1, c, index(digit_of(round_.me(), k)), std::move(passed_on));
    }

    std::vector<std::byte> for_stage_before(int k, bytes message) const
    {
        return last(k) ? behind_its_length(message)
                       : std::vector<std::byte>(message.begin(), message.end());
    }

    void describe(int k, std::vector<std::byte>& message)
    {
        const auto d = wire::encode(round_.ballot().descriptor(k));
        message.insert(message.begin(), d.begin(), d.end());
    }

    /// What everybody whom I meet in stage k is sent about column c. Elements that travel as they
    /// are are sent from where they lie, if they lie together.
    bytes results(int k, std::size_t c)
    {
        if (!gathers()) return {};
        auto& message = at(k, c).message;
        if constexpr (verbatim) {
            if (last(k) && !described_by_result(c))
                return std::as_bytes(load_.output(plan_.chunk(round_.me(), c)));
            if (message.empty()) {
                message.resize(load_.room_for_results(at(k).parts));
                message.resize(load_.write_results(k, c, at(k).parts, message));
                if (described_by_result(c)) describe(k, message);
            }
        }
        return message;
    }

    // ---- What is the business of those whom I meet in stage k.

    /// Lane by lane, so that early columns go out to all first.
    void exchange_all(int k, std::vector<task<>>& work)
    {
        auto peers = met_in(k);
        std::erase_if(peers, [&](int peer) { return plan_.parts_of(peer, k).empty(); });
        if (!peers.empty()) asks_ = true;
        const auto first = turns_.size();
        turns_.resize(first + peers.size());
        for (std::size_t lane = 0; lane < plan_.lanes; ++lane)
            for (std::size_t i = 0; i < peers.size(); ++i)
                work.push_back(round_.blaming(peers[i], phase::result,
                                              exchange(k, peers[i], lane, turns_[first + i])));
    }

    /// One lane of the conversation with `peer` about its business, of which `next` is the next
    /// column.
    task<> exchange(int k, int peer, std::size_t lane, std::size_t& next)
    {
        const bool used = co_await window_.uses(lane);
        if (!used) co_return;
        const auto parts = plan_.parts_of(peer, k);
        room space;
        while (next < plan_.columns) {
            const auto c = next++;
            const auto t = round_.name(message_kind::contribution, c);
            if (folds()) {
                if (k > 0) {
                    co_await at(k - 1, c).reduced.opened();
                }
                bytes message;
                auto prepare = [&] { message = contribution(k, parts, c, space); };
                if constexpr (verbatim) {
                    prepare();
                } else {
                    space.resize(load_.room_for_version(k, parts));  // of this thread's
                    co_await offload(pool_, prepare);
                }
                co_await round_.send(peer, t, message);
            } else if (c >= plan_.lanes) {
                co_await round_.send(peer, t, bytes{});
            }
            if (!gathers() && needs_no_credit(c)) {
                window_.answered();  // nobody owes one
                continue;
            }
            round_.expect(peer, message_kind::result);
            task<> heard = hear_results(k, peer, parts, c, space);
            co_await std::move(heard);
            window_.answered();
        }
    }

    /// My version of the column of `parts`, behind the descriptor if it is the first; from those
    /// who have nothing to contribute, no more than a request for the result.
    bytes contribution(int k, const std::vector<int>& parts, std::size_t c, room& space)
    {
        const bool mine = round_.ballot().contributes_block(round_.me(), k);
        if (verbatim && c > 0 && last(k) && mine)
            return std::as_bytes(load_.version(k, plan_.chunk(parts.front(), c)));
        const auto before = c == 0 ? load::head : 0;
        const auto to = space.resize(load_.room_for_version(k, parts));
        if (c == 0) std::ranges::copy(wire::encode(round_.ballot().descriptor(k)), to.begin());
        if (!mine) return to.first(before);
        const auto size = load_.write_version(k, c, parts, to.subspan(before));
        return to.first(before + size);
    }

    task<> hear_results(int k, int peer, const std::vector<int>& parts, std::size_t c, room& space)
    {
        const auto t = round_.name(message_kind::result, c);
        std::vector<std::byte> passed_on;
        if (!gathers()) {
            co_await round_.recv(peer, t, {});
            co_return;
        }
        if (verbatim && last(k) && !described_by_result(c)) {
            const auto out = load_.output(plan_.chunk(parts.front(), c));
            const auto size = co_await round_.recv(peer, t, std::as_writable_bytes(out));
            if (size != out.size_bytes())
                throw std::system_error(errc::bad_message, "a result of the wrong size");
        } else {
            const auto into = space.resize(load_.room_for_results(parts));
            const auto size = co_await round_.recv(peer, t, into);
            bytes message = into.first(size);
            if (described_by_result(c)) {
                round_.ballot().check(message);
                message = message.subspan(load::head);
            }
            auto unpack_all = [&] { load_.read_results(k, c, parts, message); };
            co_await offload(pool_, unpack_all);
            if (!verbatim && k > 0) passed_on = for_stage_before(k, message);
        }
        if (k > 0) finish(k - 1, c, index(digit_of(peer, k)), std::move(passed_on));
    }

    round& round_;
    const round_plan& plan_;
    halves what_;
    load load_;
    Op op_;
    workers* pool_;
    std::deque<business> business_;  // by stage
    std::deque<std::size_t> turns_;  // of each conversation, which column is next
    bool asks_ = false;              // there are conversations about others' business
    window window_;
    std::vector<scratch> spare_;  // room for decoded versions, used again and again
};

}  // namespace papilio::detail
