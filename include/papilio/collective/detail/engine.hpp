#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/offload.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/fold_chunk.hpp>
#include <papilio/collective/detail/packing.hpp>
#include <papilio/collective/detail/plan.hpp>
#include <papilio/collective/detail/round.hpp>
#include <papilio/op/base.hpp>

#include <algorithm>
#include <deque>
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

/// Where the elements are. `in` holds the whole vector, or under `halves::all_gather` this peer's part;
/// `out` the whole, or, under `halves::reduce_scatter` in a single stage, the part.
template <element T>
struct buffers {
    std::span<const T> in = {};
    std::span<T> out = {};
    std::size_t in_begin = 0;  // of the first element, in the whole vector
    std::size_t out_begin = 0;
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
/// direction, however early or late either of them is. Where only one of the two carries data, the
/// other is an empty message, and left out where no later column needs the credit.
///
/// What an operation has made of several versions travels by the codec for the way back: the
/// codec for the way there may be for what a single peer has to say.
template <element T, class Op, class Codec>
class engine {
    static constexpr bool verbatim = std::same_as<Codec, identity>;
    static constexpr std::size_t head = wire::descriptor::encoded_size;
    using back_codec = codec_back_t<Codec>;
    using value = carried<Codec, T>;

public:
    engine(round& r, const round_plan& plan, halves what, buffers<T> data, Op op, Codec codec,
           workers* pool)
        : round_(r),
          plan_(plan),
          what_(what),
          data_(data),
          op_(op),
          codec_(codec),
          back_(codec_back(codec)),
          pool_(pool)
    {
        for (int k = 0; k < stages(); ++k) stages_.emplace_back(*this, k);
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Moves everything between members. `out` is complete when it finishes.
    task<> move()
    {
        std::vector<task<>> work;
        for (int k = 0; k < stages(); ++k)
            for (const int peer : met_in(k))
                if (votes(round_.of(peer))) serve_all(k, peer, work);
        for (int k = 0; k < stages(); ++k) exchange_all(k, work);
        work.push_back(begin());
        work.push_back(watch_part());
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
    /// One column of the parts that are this peer's business after a stage.
    struct column {
        std::vector<std::vector<bytes>> versions;  // as they came, by digit and part
        std::size_t awaited = 0;                   // versions that have not come yet
        gate reduced;
        std::vector<std::vector<std::byte>> results;  // by the next stage's digit, as they came
        std::size_t unfinished = 0;                   // of them, that have not come yet
        gate ready;
        std::vector<std::byte> message;  // what everybody met in this stage is sent of them
        std::size_t unserved = 0;        // who still has to be sent it
    };

    struct stage {
        stage(const engine& e, int k) : parts(e.plan_.parts_of(e.round_.me(), k))
        {
            for (const int peer : e.met_in(k))
                if (e.round_.ballot().contributes_block(peer, k)) ++others;
            undescribed = others;
            if (undescribed == 0) described.open();
            // Of earlier stages my own version comes when they have reduced it.
            own = e.round_.ballot().contributes_block(e.round_.me(), k);
            const auto later = k + 1 < e.stages() ? e.finer(e.round_.me(), k).size() : 1;
            columns.resize(parts.empty() ? 0 : e.plan_.columns);
            for (auto& c : columns) {
                c.awaited = others + (own && k > 0 ? 1 : 0);
                c.results.resize(e.last(k) ? 1 : index(e.plan_.stages.radix(k + 1)));
                c.unfinished = later;
                c.unserved = index(e.plan_.stages.radix(k)) - 1;
            }
        }

        std::vector<int> parts;  // that are my business after it, in the order of messages
        std::deque<column> columns;
        std::size_t others = 0;  // versions that come from others
        bool own = false;        // and mine has something in it
        std::size_t undescribed = 0;
        gate described;  // a first message has come from each: the weights are known
    };

    // ---- Who and what.

    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }
    int stages() const { return plan_.stages.stages(); }
    bool last(int k) const { return k + 1 == stages(); }
    bool folds() const noexcept { return what_ != halves::all_gather; }
    bool gathers() const noexcept { return what_ != halves::reduce_scatter; }
    stage& at(int k) { return stages_[index(k)]; }
    column& at(int k, std::size_t c) { return at(k).columns[c]; }

    /// From my neighbour on around the ring: no peer is everybody's first.
    std::vector<int> met_in(int k) const
    {
        std::vector<int> peers;
        const auto& s = plan_.stages;
        for (int step = 1; step < s.radix(k); ++step)
            peers.push_back(
                s.partner(round_.me(), k, (s.digit(round_.me(), k) + step) % s.radix(k)));
        return peers;
    }

    /// The peers of the next stage, by digit, that have a part in what is `rank`'s business after
    /// stage k.
    std::vector<int> finer(int rank, int k) const
    {
        std::vector<int> peers;
        for (int d = 0; d < plan_.stages.radix(k + 1); ++d) {
            const int peer = plan_.stages.partner(rank, k + 1, d);
            if (!plan_.parts_of(peer, k + 1).empty()) peers.push_back(peer);
        }
        return peers;
    }

    std::span<const T> input(part where) const
    {
        return data_.in.subspan(where.begin - data_.in_begin, where.size);
    }
    std::span<T> output(part where) const
    {
        return data_.out.subspan(where.begin - data_.out_begin, where.size);
    }

    /// The most bytes of a message about `parts`.
    template <class C>
    std::size_t room_for(const C& codec, std::span<const int> parts) const
    {
        std::size_t size = head;
        for (const int p : parts)
            size += length_size + codec.template bound<value>(largest_chunk(
                                      plan_.part_size(p), plan_.granule, plan_.columns));
        return size;
    }
    std::size_t room_for_version(int k, std::span<const int> parts) const
    {
        return k == 0 ? room_for(codec_, parts) : room_for(back_, parts);
    }

    // ---- What is this peer's business after stage k.

    void serve_all(int k, int peer, std::vector<task<>>& work)
    {
        for (std::size_t lane = 0; lane < std::min(at(k).columns.size(), plan_.lanes); ++lane)
            work.push_back(round_.blaming(peer, phase::contribution, serve(k, peer, lane)));
    }

    /// One lane of the conversation with `peer` about it.
    task<> serve(int k, int peer, std::size_t lane)
    {
        const auto columns = at(k).columns.size();
        std::vector<std::byte> room(folds() ? room_for_version(k, at(k).parts) : 0);
        for (std::size_t c = lane; c < columns; c += plan_.lanes) {
            const bool last_one = c + plan_.lanes >= columns;
            if (folds() || c >= plan_.lanes) {
                round_.expect(peer, message_kind::contribution);
                const auto size =
                    co_await round_.recv(peer, round_.name(message_kind::contribution, c), room);
                if (folds()) {
                    task<> done = fold_in(k, peer, c, bytes(room).first(size));
                    co_await std::move(done);
                }
            }
            if (last_one) room = {};
            if (!gathers() && last_one) continue;
            if (gathers()) {
                co_await at(k, c).ready.opened();
            }
            const auto message = result(k, c);
            co_await round_.send(peer, round_.name(message_kind::result, c), message);
            if (--at(k, c).unserved == 0) at(k, c).message = {};
        }
    }

    task<> serve_observer(int peer)
    {
        std::vector<task<>> lanes;
        for (std::size_t lane = 0; lane < std::min(at(0).columns.size(), plan_.lanes); ++lane)
            lanes.push_back(serve(0, peer, lane));
        try {
            co_await when_all(std::move(lanes));
            round_.served(peer);
        } catch (const std::system_error&) {
            // It stays on the list of those that were not served.
        }
    }

    /// A peer's version of column c has come; lasts until the column is reduced. Until then the
    /// bytes stay in the lane's room.
    task<> fold_in(int k, int peer, std::size_t c, bytes message)
    {
        if (c > 0) {
            co_await at(k).described.opened();
        }
        const bool last_one = take(k, peer, c, message);
        if (last_one)
            co_await reduce(k, c);
        else
            co_await at(k, c).reduced.opened();
    }

    /// Notes a peer's version of column c; true if it was the last one missing.
    bool take(int k, int peer, std::size_t c, bytes message)
    {
        auto& s = at(k);
        if (c == 0) {
            round_.ballot().weigh(peer, message);
            message = message.subspan(head);
        }
        if (!round_.ballot().contributes_block(peer, k)) {
            if (!message.empty()) throw std::system_error(errc::bad_message, "nothing to add");
            return false;
        }
        auto runs = runs_at(k, message, s.parts.size());
        for (std::size_t i = 0; i < runs.size(); ++i) check_size(k, runs[i], s.parts[i], c);
        auto& versions = s.columns[c].versions;
        versions.resize(index(plan_.stages.radix(k)));
        versions[index(plan_.stages.digit(peer, k))] = std::move(runs);
        if (c == 0 && --s.undescribed == 0) s.described.open();
        return --s.columns[c].awaited == 0;
    }

    void check_size(int k, bytes run, int owner, std::size_t c) const
    {
        const auto size = plan_.chunk(owner, c).size;
        const auto bound = size == 0 ? 0
                           : k == 0  ? codec_.template bound<value>(size)
                                     : back_.template bound<value>(size);
        if (run.size() > bound || (verbatim && run.size() != bound))
            throw std::system_error(errc::bad_message, "a chunk of the wrong size");
    }

    /// Sets going what waits for nobody: own parts that are gathered, and columns to which nobody
    /// else contributes.
    task<> begin()
    {
        for (int k = 0; k < stages(); ++k)
            for (std::size_t c = 0; c < at(k).columns.size(); ++c) {
                if (!folds() && last(k)) {
                    co_await encode_own(c);
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
        std::vector<value> scratch;
        if (!spare_.empty()) {
            scratch = std::move(spare_.back());
            spare_.pop_back();
        }
        std::vector<std::byte> encoded;
        auto fold = [&] { fold_column(k, c, weights, scratch, encoded); };
        try {
            co_await offload(pool_, fold);
        } catch (const round_error&) {
            throw;
        } catch (const std::system_error& failure) {
            // A result beyond what the codec takes is nobody's fault alone.
            throw round_error(failure.code(), -1, round_.me(), phase::contribution,
                              "the result: " + sentence(failure));
        }
        spare_.push_back(std::move(scratch));
        at(k, c).versions.clear();
        at(k, c).reduced.open();
        if (last(k)) {
            if (gathers()) finish(k, c, 0, std::move(encoded));
        } else if (!at(k + 1).columns.empty() && --at(k + 1, c).awaited == 0) {
            co_await reduce(k + 1, c);
        }
    }

    void fold_column(int k, std::size_t c, const std::vector<double>& weights,
                     std::vector<value>& scratch, std::vector<std::byte>& encoded)
    {
        auto* const keep = last(k) && gathers() ? &encoded : nullptr;
        for (std::size_t i = 0; i < at(k).parts.size(); ++i) {
            const auto where = plan_.chunk(at(k).parts[i], c);
            const auto found = versions_of(k, c, i, where);
            const auto fold = [&](const auto& from) {
                const chunk_fold folded(op_, from, back_, where, round_.me(),
                                        std::span<const version<T>>(found), weights);
                folded(scratch, output(where), keep);
            };
            if (k == 0)
                fold(codec_);
            else
                fold(back_);
        }
    }

    /// What is to be folded into part i, in rank order. From the second stage on my own version is
    /// what the stage before has left where the result goes.
    std::vector<version<T>> versions_of(int k, std::size_t c, std::size_t i, part where)
    {
        std::vector<version<T>> found;
        for (int d = 0; d < plan_.stages.radix(k); ++d) {
            const int peer = plan_.stages.partner(round_.me(), k, d);
            if (!round_.ballot().contributes_block(peer, k)) continue;
            if (peer != round_.me())
                found.push_back({peer, at(k, c).versions[index(d)][i], {}});
            else
                found.push_back({-1, {}, k == 0 ? input(where) : output(where)});
        }
        return found;
    }

    /// Encodes column c of my own part, for all to have.
    task<> encode_own(std::size_t c)
    {
        const auto where = plan_.chunk(round_.me(), c);
        std::vector<std::byte> encoded;
        auto prepare = [&] {
            if constexpr (verbatim) {
                std::ranges::copy(input(where), output(where).begin());
            } else {
                encoded.resize(where.size > 0 ? back_.template bound<value>(where.size) : 0);
                blaming_me(
                    0, [&] { encoded.resize(pack(back_, where.begin, input(where), encoded)); });
                unpack(back_, where.begin, encoded, output(where));
            }
        };
        co_await offload(pool_, prepare);
        finish(stages() - 1, c, 0, std::move(encoded));
    }

    // ---- Results.

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
        if (k > 0) passed_on = for_stage_before(k, done.message);
        if (!verbatim && describes(c)) describe(k, done.message);
        done.ready.open();
        if (k > 0)
            finish(k - 1, c, index(plan_.stages.digit(round_.me(), k)), std::move(passed_on));
    }

    static std::vector<std::byte> joined(std::vector<std::vector<std::byte>> messages)
    {
        if (messages.size() == 1) return std::move(messages.front());
        std::vector<std::byte> all;
        for (const auto& one : messages) all.insert(all.end(), one.begin(), one.end());
        return all;
    }

    /// A message of the last stage is about one part alone, and in one of several it stands behind
    /// its length.
    std::vector<std::byte> for_stage_before(int k, bytes message) const
    {
        const auto before = last(k) ? length_size : 0;
        std::vector<std::byte> run(verbatim ? 0 : before + message.size());
        if (run.empty()) return run;
        if (last(k)) store(run.data(), static_cast<std::uint32_t>(message.size()));
        std::ranges::copy(message, run.begin() + static_cast<std::ptrdiff_t>(before));
        return run;
    }

    /// What everybody whom I meet in stage k is sent about column c. Elements that travel as they
    /// are are sent from where they lie, if they lie together.
    bytes result(int k, std::size_t c)
    {
        if (!gathers()) return {};
        auto& message = at(k, c).message;
        if constexpr (verbatim) {
            if (last(k) && !describes(c)) return std::as_bytes(output(plan_.chunk(round_.me(), c)));
            if (message.empty()) {
                message.resize(room_for(back_, at(k).parts));
                const auto from = [&](part p) { return output(p); };
                message.resize(write(back_, k, c, at(k).parts, from, message));
                if (describes(c)) describe(k, message);
            }
        }
        return message;
    }

    /// Where there are no contributions, the first result carries the descriptor.
    bool describes(std::size_t c) const noexcept { return !folds() && c == 0; }

    void describe(int k, std::vector<std::byte>& message)
    {
        const auto d = wire::encode(round_.ballot().descriptor(k));
        message.insert(message.begin(), d.begin(), d.end());
    }

    // ---- What is the business of those whom I meet in stage k.

    /// Lane by lane, so that early columns go out to all first.
    void exchange_all(int k, std::vector<task<>>& work)
    {
        for (std::size_t lane = 0; lane < plan_.lanes; ++lane)
            for (const int peer : met_in(k)) {
                if (plan_.parts_of(peer, k).empty()) continue;
                work.push_back(round_.blaming(peer, phase::result, exchange(k, peer, lane)));
            }
    }

    /// One lane of the conversation with `peer` about its business.
    task<> exchange(int k, int peer, std::size_t lane)
    {
        const auto parts = plan_.parts_of(peer, k);
        std::vector<std::byte> room;
        for (std::size_t c = lane; c < plan_.columns; c += plan_.lanes) {
            if (folds()) {
                if (k > 0) {
                    co_await at(k - 1, c).reduced.opened();
                }
                bytes message;
                auto prepare = [&] { message = contribution(k, parts, c, room); };
                if constexpr (verbatim)
                    prepare();
                else
                    co_await offload(pool_, prepare);
                co_await round_.send(peer, round_.name(message_kind::contribution, c), message);
            } else if (c >= plan_.lanes) {
                co_await round_.send(peer, round_.name(message_kind::contribution, c), bytes{});
            }
            if (!gathers() && c + plan_.lanes >= plan_.columns) continue;
            task<> heard = hear_result(k, peer, parts, c, room);
            co_await std::move(heard);
        }
    }

    /// My version of the column of `parts`, behind the descriptor if it is the first; from those
    /// who have nothing to contribute, no more than a request for the result.
    bytes contribution(int k, const std::vector<int>& parts, std::size_t c,
                       std::vector<std::byte>& room)
    {
        const bool mine = round_.ballot().contributes_block(round_.me(), k);
        const auto from = [&](part p) { return k == 0 ? input(p) : std::span<const T>(output(p)); };
        if (verbatim && c > 0 && last(k) && mine)
            return std::as_bytes(from(plan_.chunk(parts.front(), c)));
        const auto before = c == 0 ? head : 0;
        room.resize(room_for_version(k, parts));
        if (c == 0) std::ranges::copy(wire::encode(round_.ballot().descriptor(k)), room.begin());
        if (!mine) return bytes(room).first(before);
        const auto rest = std::span(room).subspan(before);
        const auto size =
            k == 0 ? write(codec_, k, c, parts, from, rest) : write(back_, k, c, parts, from, rest);
        return bytes(room).first(before + size);
    }

    task<> hear_result(int k, int peer, const std::vector<int>& parts, std::size_t c,
                       std::vector<std::byte>& room)
    {
        round_.expect(peer, message_kind::result);
        const auto t = round_.name(message_kind::result, c);
        if (verbatim && gathers() && last(k) && !describes(c)) {
            const auto out = output(plan_.chunk(parts.front(), c));
            const auto size = co_await round_.recv(peer, t, std::as_writable_bytes(out));
            if (size != out.size_bytes())
                throw std::system_error(errc::bad_message, "a result of the wrong size");
        } else {
            room.resize(gathers() ? room_for(back_, parts) : 0);
            const auto size = co_await round_.recv(peer, t, room);
            if (!gathers()) co_return;
            auto message = bytes(room).first(size);
            if (describes(c)) {
                round_.ballot().check(message);
                message = message.subspan(head);
            }
            auto unpack_all = [&] { read(k, c, parts, message); };
            co_await offload(pool_, unpack_all);
            if (k > 0)
                finish(k - 1, c, index(plan_.stages.digit(peer, k)), for_stage_before(k, message));
            co_return;
        }
        if (k > 0) finish(k - 1, c, index(plan_.stages.digit(peer, k)), {});
    }

    // ---- Between elements and what travels.

    std::vector<bytes> runs_at(int k, bytes message, std::size_t count) const
    {
        return last(k) ? std::vector<bytes>{message} : runs_of(message, count);
    }

    /// Writes the column of `parts`, as stage k sends it, to `room`; returns its size.
    template <class C, class From>
    std::size_t write(const C& codec, int k, std::size_t c, const std::vector<int>& parts,
                      const From& from, mutable_bytes room) const
    {
        const auto before = last(k) ? 0 : length_size;
        std::size_t size = 0;
        for (const int p : parts) {
            const auto where = plan_.chunk(p, c);
            std::size_t n = 0;
            blaming_me(k, [&] {
                n = pack(codec, where.begin, std::span<const T>(from(where)),
                         room.subspan(size + before));
            });
            if (!last(k)) store(room.data() + size, static_cast<std::uint32_t>(n));
            size += before + n;
        }
        return size;
    }

    void read(int k, std::size_t c, const std::vector<int>& parts, bytes message) const
    {
        const auto runs = runs_at(k, message, parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto where = plan_.chunk(parts[i], c);
            unpack(back_, where.begin, runs[i], output(where));
        }
    }

    /// What the codec cannot take is this peer's own fault, or nobody's once it is a sum.
    template <class Work>
    void blaming_me(int k, const Work& work) const
    {
        try {
            work();
        } catch (const std::system_error& failure) {
            throw round_error(failure.code(), k == 0 ? round_.me() : -1, round_.me(),
                              phase::contribution, sentence(failure));
        }
    }

    round& round_;
    const round_plan& plan_;
    halves what_;
    buffers<T> data_;
    Op op_;
    Codec codec_;
    back_codec back_;
    workers* pool_;
    std::deque<stage> stages_;
    std::vector<std::vector<value>> spare_;  // room for decoded versions, used again and again
};

}  // namespace papilio::detail
