#pragma once

#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_messages.hpp>
#include <papilio/collective/agreement/voter.hpp>

#include <collective/agreement/crowd_member.hpp>
#include <model/invariants.hpp>
#include <model/rules.hpp>
#include <model/settings.hpp>
#include <model/state.hpp>
#include <model/steps.hpp>
#include <model/transitions.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace papilio::test {

/// Follows the voters of a call in the model of views: whatever one does must be a step that the
/// model has, and lead to the state in which the model's peer is then. All peers are full, and
/// part p in column c is the model's chunk c n + p, of n peers.
///
/// A voter may do less than the model's peer: it waits for what the model does not know, which is
/// time, complaints, and messages on their way.
class model_trace {
public:
    static constexpr std::size_t kinds = static_cast<std::size_t>(model::event::succeeds) + 1;

    /// `call` is borrowed.
    explicit model_trace(const detail::call_shape& call)
        : call_(call),
          of_{.peers = call.extent.peers,
              .chunks = call.extent.peers * static_cast<int>(call.extent.columns),
              .last_view = model::max_views - 1},
          now_(model::initial(of_)),
          at_(index(of_.peers)),
          over_(index(of_.peers))
    {
    }

    /// Something has happened to a member's voter, which says this.
    void follow(const crowd_member& member, const std::vector<detail::parcel>& said)
    {
        p_ = member.rank();
        voter_ = &member.state();
        const auto& end = voter_->ended();
        check_claims(member);
        take_chunks();
        for (const auto& one : said)
            one.visit([this](const auto& message) { take_message(message); });
        if (!end || end->why) arrive(voter_->view());
        if (end && !over_[index(p_)]) take_end(*end);
        if (!end) compare();
    }

    /// What the model does not allow, in words; empty if there is nothing.
    const std::string& wrong() const noexcept { return wrong_; }

    /// Somebody has promised a view that the model does not have. Nothing is followed from then on.
    bool beyond() const noexcept { return beyond_; }

    /// How many steps there were of each kind.
    const std::array<int, kinds>& steps() const noexcept { return steps_; }

    const model::settings& settings() const noexcept { return of_; }
    const model::state& now() const noexcept { return now_; }

private:
    using event = model::event;

    static std::size_t index(int i) { return static_cast<std::size_t>(i); }

    bool stopped() const { return beyond_ || !wrong_.empty(); }
    const model::peer& mine() const { return now_.peers[index(p_)]; }
    const model::view_record& record(int view) const { return now_.views[index(view)]; }

    std::size_t part(int chunk) const { return index(chunk % of_.peers); }
    std::uint32_t column(int chunk) const { return static_cast<std::uint32_t>(chunk / of_.peers); }

    static_assert(model::none == wire::no_view);

    model::versions versions_of(const detail::chunk_versions& list) const
    {
        model::versions all{};
        for (int k = 0; k < of_.chunks; ++k) all[index(k)] = list.at(part(k), column(k));
        return all;
    }

    // What a voter does

    /// It says of no chunk that is half written that it holds it.
    void check_claims(const crowd_member& member)
    {
        for (int k = 0; k < of_.chunks; ++k)
            if (voter_->holds().at(part(k), column(k)) != wire::no_view &&
                member.chunk(part(k), column(k)).empty())
                fail("says that it holds chunk " + std::to_string(k) + ", which is half written");
    }

    /// What its result holds is not what it was: a chunk is being overwritten, or has come.
    void take_chunks()
    {
        const auto held = versions_of(voter_->holds());
        const int view = voter_->view();
        for (int k = 0; k < of_.chunks; ++k) {
            if (held[index(k)] == mine().held[index(k)]) continue;
            if (mine().held[index(k)] != model::none) take({event::clears, p_, view, k});
            if (held[index(k)] != model::none) take(arrival(k));
        }
    }

    /// How a chunk comes to the voter, as the settlement says.
    model::step arrival(int chunk) const
    {
        const auto& settled = voter_->settlement();
        const int view = settled.view;
        for (const auto& run : settled.runs[part(chunk)])
            if (column(chunk) - run.first < run.columns && run.source >= 0)
                return {event::is_passed, p_, view, chunk, run.source};
        const int from = detail::writer(call_.who, settled, part(chunk), column(chunk));
        if (from == p_) return {event::reduces, p_, view, chunk};
        return {event::receives, p_, view, chunk, from};
    }

    /// The first for a view is a step; with further complaints it says the same.
    void take_message(const wire::promise& said)
    {
        arrive(said.joined);
        if (said.view > of_.last_view) beyond_ = true;
        if (stopped()) return;
        if (said.view != mine().promised) take({event::promises, p_, said.view});
        const auto& promised = record(said.view).promises[index(p_)];
        const detail::chunk_versions held(call_.extent, said.held);
        if (promised.voted != said.voted || promised.held != versions_of(held))
            fail("promises something else than it has");
    }

    /// The first of a view is a step; it is said again to whoever comes late.
    void take_message(const wire::proposal& said)
    {
        if (stopped()) return;
        const auto settled = versions_of(detail::chunk_versions(call_.extent, said.runs));
        const auto same = [&](const model::state& s) {
            const auto& in = s.views[said.view];
            return in.members == said.members.word(0) && in.settled == settled;
        };
        if (record(said.view).members == 0)
            take({event::proposes, p_, said.view}, same);
        else if (coordinator(of_, said.view) != p_ || !same(now_))
            fail("proposes view " + std::to_string(said.view) + " again, and otherwise");
    }

    void take_message(const wire::view_vote& said)
    {
        arrive(said.view);
        take({event::votes, p_, said.view});
    }

    void take_message(const wire::answer&)
    {
        if (!voter_->ended()) fail("says that it has ended, and has not");
    }

    /// It has come to a view. One that is no member but holds all waits for the members' votes, and
    /// votes in no earlier view: as if it had promised this one, and nobody had heard that.
    void arrive(int view)
    {
        if (stopped() || view <= at_[index(p_)]) return;
        at_[index(p_)] = view;
        const auto& end = voter_->ended();
        if (model::has(record(view).members, p_))
            take({event::joins, p_, view, -1, coordinator(of_, view)});
        else if (end && end->why == errc::left_out)
            take({event::leaves, p_, view});
        else if (mine().promised < view)
            take({event::promises, p_, view});
    }

    /// For an error the model has no step but that of being left out: a peer without a vote may
    /// fail for certain at any time, and one that cannot tell is like one that has died.
    void take_end(const detail::view_ending& end)
    {
        if (stopped()) return;
        over_[index(p_)] = true;
        if (!end.why) {
            take({event::succeeds, p_, voter_->decided().view});
        } else if (end.why != errc::outcome_unknown) {
            if (!model::detail::may_fail_for_certain(mine())) fail("fails: " + end.why.message());
            now_.peers[index(p_)].end = model::outcome::left;
        }
    }

    void compare()
    {
        const auto& v = *voter_;
        const bool member = v.settlement().members.contains(p_);
        const bool same = mine().promised == v.promised() &&
                          mine().voted == v.voted().value_or(wire::no_view) &&
                          (member ? mine().joined == v.view() : mine().joined < v.view()) &&
                          mine().held == versions_of(v.holds());
        if (!same) fail("is in another state");
    }

    // What the model makes of it

    void take(const model::step& done)
    {
        take(done, [](const model::state&) { return true; });
    }

    /// Makes the step of the model that leads to a state which is `wanted`.
    template <class Wanted>
    void take(const model::step& done, const Wanted& wanted)
    {
        if (stopped()) return;
        std::optional<model::state> after;
        const auto look = [&](const model::step& s, const model::state& next) {
            if (!after && is(s, done) && wanted(next)) after = next;
        };
        model::for_each_step_of(of_, now_, p_, look);
        if (!after)
            return fail("makes a step that the model does not have: " +
                        model::text(of_, done, now_));
        now_ = *after;
        ++steps_[static_cast<std::size_t>(done.what)];
    }

    /// Of several views that are decided, the model knows the first, and a voter perhaps another.
    bool is(const model::step& possible, const model::step& done) const
    {
        if (possible.what != event::succeeds || done.what != event::succeeds)
            return possible == done;
        return is_decided(of_, record(done.view)) &&
               record(possible.view).settled == record(done.view).settled;
    }

    void fail(const std::string& what)
    {
        if (stopped()) return;
        const auto& v = *voter_;
        wrong_ =
            "peer " + std::to_string(p_) + " " + what +
            "\n  the model's: " + text(mine().promised, mine().joined, mine().voted, mine().held) +
            "\n  the voter: " +
            text(v.promised(), v.view(), v.voted().value_or(wire::no_view), versions_of(v.holds()));
    }

    std::string text(int promised, int joined, int voted, const model::versions& held) const
    {
        const auto number = [](int i) { return i == model::none ? "-" : std::to_string(i); };
        auto all = "promised " + number(promised) + ", joined " + number(joined) + ", voted " +
                   number(voted) + ", holds";
        for (int k = 0; k < of_.chunks; ++k) all += " " + number(held[index(k)]);
        return all;
    }

    const detail::call_shape& call_;
    model::settings of_;
    model::state now_;
    std::vector<int> at_;     // by rank: the view that it is in
    std::vector<bool> over_;  // by rank: it has ended
    int p_ = 0;               // who does something
    const detail::voter* voter_ = nullptr;
    std::array<int, kinds> steps_{};
    bool beyond_ = false;
    std::string wrong_;
};

}  // namespace papilio::test
