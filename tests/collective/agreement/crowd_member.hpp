#pragma once

#include <papilio/collective/agreement/voter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::test {

/// What a chunk is made of: of each contributor its weight.
using ingredients = std::map<int, double>;

/// A voter, and what a call does around it: it moves the data of each view, without elements, and
/// complains about what is owed for too long.
class crowd_member {
public:
    /// Has another member, or this one, do something when a message may arrive there.
    using post = std::function<void(int to, std::function<void(crowd_member&)>)>;

    /// Is told whenever something has happened to a member's voter, and what that says to it.
    using watch = std::function<void(const crowd_member&, const std::vector<detail::parcel>&)>;

    /// `clock` is what time it is.
    crowd_member(const detail::call_shape& call, int me, double weight, detail::view_times times,
                 duration patience, const time_point& clock, post send, watch told)
        : call_(call),
          me_(me),
          weight_(weight),
          patience_(patience),
          clock_(clock),
          send_(std::move(send)),
          told_(std::move(told)),
          state_(call, me, digest, weight, times)
    {
    }

    void begin()
    {
        if (call_.gathers) have_own_part();
        enter();
        go_on();
    }

    void lose(int peer)
    {
        state_.lose(peer, clock_);
        go_on();
    }

    /// When `wake` is to be called.
    time_point due() const { return std::min(state_.next_wake(), next_complaint()); }

    void wake()
    {
        state_.wake(clock_);
        go_on();
        if (clock_ >= next_complaint()) complain();
        go_on();
    }

    int rank() const noexcept { return me_; }
    const detail::voter& state() const noexcept { return state_; }

    /// Views in which it has moved data.
    int views() const noexcept { return views_; }

    const ingredients& chunk(std::size_t part, std::uint32_t column) const
    {
        return chunks_.at({part, column});
    }

    /// Whose elements are in a version of the chunks of a part.
    static rank_set contributors(const detail::call_shape& call, const wire::proposal& settled,
                                 std::uint8_t version, std::size_t part)
    {
        if (call.gathers) return {static_cast<int>(part)};
        for (const auto& v : settled.versions)
            if (v.version == version) return v.contributors;
        return {};
    }

private:
    using place = std::pair<std::size_t, std::uint32_t>;  // part, column

    static constexpr std::uint64_t digest = 42;

    rank_set contributors(std::uint8_t version, std::size_t part) const
    {
        return contributors(call_, state_.settlement(), version, part);
    }

    /// Of a call that gathers: it is there from the begin, to be given to all.
    void have_own_part()
    {
        const auto part = static_cast<std::size_t>(me_);
        for (std::uint32_t c = 0; c < call_.extent.columns; ++c) {
            chunks_[{part, c}] = {{me_, weight_}};
            state_.overwrite(part, c);
            state_.hold(part, c, 0);
        }
        for (int peer = 0; peer < call_.extent.peers; ++peer) state_.weigh(peer, 1);
    }

    template <class Do>
    void for_each_chunk(const Do& what) const
    {
        const auto& settled = state_.settlement();
        for (std::size_t part = 0; part < settled.runs.size(); ++part)
            for (const auto& run : settled.runs[part])
                for (auto c = run.first; c < run.first + run.columns; ++c)
                    what(run, place{part, c}, giver(run, {part, c}));
    }

    /// Who has a chunk to give, or makes it.
    int giver(const wire::proposed_run& run, const place& at) const
    {
        return run.source >= 0
                   ? run.source
                   : detail::writer(call_.who, state_.settlement(), at.first, at.second);
    }

    /// Sends what this peer has to give in its view.
    void enter()
    {
        entered_ = state_.view();
        reached_ = clock_;
        complaints_ = 0;
        ++views_;
        collected_.clear();
        for_each_chunk([&](const wire::proposed_run& run, const place& at, int from) {
            if (run.source == me_ || (call_.gathers && from == me_)) {
                for (const int to : run.lacking - rank_set{me_})
                    give(to, at, run.version, chunks_.at(at));
            } else if (run.source < 0 && contributors(run.version, at.first).contains(me_)) {
                send_(from, [=, me = me_, weight = weight_, view = entered_](crowd_member& owner) {
                    owner.collect(me, view, at, weight);
                });
            }
        });
    }

    void give(int to, const place& at, std::uint8_t version, const ingredients& what)
    {
        send_(to,
              [=, view = entered_](crowd_member& other) { other.hold(view, at, version, what); });
    }

    void collect(int from, std::uint8_t view, const place& at, double weight)
    {
        state_.weigh(from, weight);
        if (view > entered_)
            return early_.push_back([=, this] { collect(from, view, at, weight); });
        if (view != entered_ || !state_.moves()) return;
        auto& have = collected_[at];
        have[from] = weight;
        const auto& settled = state_.settlement();
        if (static_cast<int>(have.size()) < contributors(view, at.first).size()) return;
        for (const auto& run : settled.runs[at.first])
            if (at.second >= run.first && at.second - run.first < run.columns)
                write(view, at, view, have, run.lacking - rank_set{me_});
    }

    void hold(std::uint8_t view, const place& at, std::uint8_t version, const ingredients& what)
    {
        if (view > entered_) return early_.push_back([=, this] { hold(view, at, version, what); });
        if (view == entered_ && state_.moves()) write(view, at, version, what, {});
    }

    /// It takes a while until a chunk is there, and then goes on to others. If this peer leaves the
    /// view before, the chunk stays half written.
    void write(std::uint8_t view, const place& at, std::uint8_t version, const ingredients& what,
               const rank_set& others)
    {
        state_.overwrite(at.first, at.second);
        chunks_[at].clear();
        go_on();
        send_(me_, [=](crowd_member& me) {
            if (view == me.entered_ && me.state_.moves()) me.written(at, version, what, others);
        });
    }

    void written(const place& at, std::uint8_t version, const ingredients& what,
                 const rank_set& others)
    {
        chunks_[at] = what;
        reached_ = clock_;
        for (const int to : others) give(to, at, version, what);
        state_.hold(at.first, at.second, version);
        go_on();
    }

    template <class Message>
    void take(int from, const Message& said)
    {
        state_.take(from, said, clock_);
        go_on();
    }

    void take(int from, const wire::view_vote& said, double weight)
    {
        if (!call_.gathers) state_.weigh(from, weight);
        voted_[said.view].insert(from);
        take(from, said);
    }

    /// What follows whenever something has happened.
    void go_on()
    {
        for (;;) {
            const auto parcels = state_.take_parcels();
            if (told_) told_(*this, parcels);
            for (const auto& said : parcels)
                for (const int to : said.to) say(to, said);
            if (!state_.moves() || state_.view() == entered_) return;
            enter();
            for (const auto& what : std::exchange(early_, {})) what();
        }
    }

    /// Messages travel as bytes, but for votes, which are others in view 0.
    void say(int to, const detail::parcel& what)
    {
        if (what.vote) {
            send_(to, [from = me_, said = *what.vote, weight = weight_](crowd_member& other) {
                other.take(from, said, weight);
            });
        } else if (what.promise) {
            send_(to, [from = me_, said = wire::encode(*what.promise)](crowd_member& other) {
                other.take(from, wire::parse_promise(said, other.call_.extent));
            });
        } else if (what.proposal) {
            send_(to, [from = me_, said = wire::encode(*what.proposal)](crowd_member& other) {
                other.take(from, wire::parse_proposal(said, other.call_.extent));
            });
        } else {
            send_(to, [from = me_, said = wire::encode(*what.answer)](crowd_member& other) {
                other.take(from, wire::parse_answer(said, other.call_.extent));
            });
        }
    }

    time_point next_complaint() const
    {
        if (!state_.moves() || complaints_ == 3) return time_point::max();
        return reached_ + (complaints_ + 1) * patience_;
    }

    /// About who has not contributed first, then about whose results are missing, then about who
    /// has not voted: a cause before those who wait for it.
    void complain()
    {
        ++complaints_;
        rank_set owing;
        for_each_chunk([&](const wire::proposed_run& run, const place& at, int from) {
            if (state_.holds().at(at.first, at.second) == run.version) return;
            if (complaints_ == 1 && from == me_) {
                for (const int peer : contributors(run.version, at.first))
                    if (!collected_[at].contains(peer)) owing.insert(peer);
            } else if (complaints_ == 2 && run.lacking.contains(me_)) {
                owing.insert(from);
            }
        });
        if (complaints_ == 3) owing = state_.settlement().members - voted_[entered_];
        for (const int peer : owing) state_.complain(peer, clock_);
    }

    const detail::call_shape& call_;
    int me_;
    double weight_;
    duration patience_;
    const time_point& clock_;
    post send_;
    watch told_;
    detail::voter state_;
    int views_ = 0;
    std::uint8_t entered_ = 0;
    int complaints_ = 0;    // how often in this view
    time_point reached_{};  // when it last got further
    std::map<place, ingredients> chunks_, collected_;
    std::map<std::uint8_t, rank_set> voted_;
    std::vector<std::function<void()>> early_;  // of views that it has not come to
};

}  // namespace papilio::test
