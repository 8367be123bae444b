#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/ballot.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/receive_each.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Sends this peer's votes and receives the others', stage by stage.
class vote_exchange {
public:
    vote_exchange(peer_io& io, ballot& votes, const butterfly& plan)
        : io_(io),
          ballot_(votes),
          plan_(plan),
          sent_(index(io.size()), false),
          agreed_(index(io.size()), false),
          closed_(index(plan.stages()))
    {
    }
    vote_exchange(const vote_exchange&) = delete;
    vote_exchange& operator=(const vote_exchange&) = delete;

    /// Receives the votes of all partners in `stage`.
    task<> receive(int stage)
    {
        std::vector<int> voters;
        voters.reserve(index(plan_.radix(stage)));
        for (int d = 0; d < plan_.radix(stage); ++d) {
            const int peer = plan_.partner(io_.me(), stage, d);
            if (peer != io_.me() && votes(io_.of(peer)) && !out_of_reach(peer))
                voters.push_back(peer);
        }
        incoming_votes incoming(*this, voters);
        peer_io::receive_each arrivals(io_, message_kind::vote, phase::vote, voters, incoming);
        co_await arrivals;
        if (stage > 0) {
            co_await closed_[index(stage - 1)].opened();
        }
        ballot_.close(stage);
        closed_[index(stage)].open();
    }

    /// Says yes to all partners: in each stage when the votes of the stage before are in.
    task<> send_yes()
    {
        if (ballot_.relays(io_.me())) {
            co_await clients_agreed_.opened();
            ballot_.results().compare(io_.me());
        }
        said_yes_ = true;
        for (int k = 0; k < plan_.stages(); ++k) {
            if (k > 0) {
                co_await closed_[index(k - 1)].opened();
                ballot_.results().compare(io_.me());
            }
            co_await send_yes_in(k);
        }
    }

    /// Sends `no` to all partners that have not had this peer's vote, in the background where the
    /// transport can. One that cannot be reached shows it by its own vote.
    task<> send_no(bytes no)
    {
        std::vector<task<>> sends;
        for (int peer : post_no(no)) sends.push_back(send_to(peer, no));
        co_await when_all(std::move(sends));
    }

    /// The same in the background alone; returns whom the transport did not take it for.
    std::vector<int> post_no(bytes no)
    {
        std::vector<int> left;
        for (int peer = 0; peer < io_.size(); ++peer) {
            if (!io_.meets(peer) || sent_[index(peer)] || out_of_reach(peer)) continue;
            sent_[index(peer)] = io_.post(peer, io_.tag_for(message_kind::vote, 0), no);
            if (!sent_[index(peer)]) left.push_back(peer);
        }
        return left;
    }

    /// Tells an observer, in the background, that the call has ended without it: of what it was
    /// sent before, the yes too, nothing is left for it then.
    void refuse(int observer, bytes no)
    {
        if (io_.meets(observer) && !out_of_reach(observer))
            io_.post(observer, io_.tag_for(message_kind::vote, 0), no);
    }

    /// The peers that this one hears a vote of, and that vote.
    std::vector<int> voting_partners() const
    {
        std::vector<int> partners;
        for (int peer = 0; peer < io_.size(); ++peer)
            if (io_.meets(peer) && votes(io_.of(peer)) && !out_of_reach(peer))
                partners.push_back(peer);
        return partners;
    }

    /// Whether a partner has said yes.
    bool has_agreed(int peer) const { return agreed_[index(peer)]; }

    /// Receives the vote of one partner. Throws the reason if it is no yes, or one for another
    /// result than this peer has voted for.
    task<> receive_from(int peer)
    {
        std::vector<std::byte> into(ballot_.max_vote(peer));
        const auto size = co_await io_.recv(peer, io_.tag_for(message_kind::vote, 0), into);
        take(peer, bytes(into).first(size));
        if (said_yes_) ballot_.results().compare(io_.me());
    }

    /// What those hold who have voted in view 0.
    const result_digests& results() const { return ballot_.results(); }

    /// Open when all votes are in, and say yes.
    gate& all_agreed() noexcept { return closed_.back(); }

    /// This peer has said yes to a partner, and no peer has said no: it cannot tell how the call
    /// ended for the others.
    bool outcome_unknown() const { return said_yes_ && !ballot_.refused(); }

private:
    /// The votes of several partners, each of which is received once.
    class incoming_votes final : public message_taker {
    public:
        incoming_votes(vote_exchange& by, const std::vector<int>& voters) : by_(by)
        {
            for (const int peer : voters) most_ = std::max(most_, by_.ballot_.max_vote(peer));
            memory_.resize(voters.size() * most_);
        }

        mutable_bytes memory_for(int peer) override
        {
            const auto begin = used_++ * most_;
            return mutable_bytes(memory_).subspan(begin, by_.ballot_.max_vote(peer));
        }
        void take(int peer, bytes vote) override { by_.take(peer, vote); }

    private:
        vote_exchange& by_;
        std::size_t most_ = 0;
        std::size_t used_ = 0;
        std::vector<std::byte> memory_;
    };

    void take(int peer, bytes vote)
    {
        ballot_.take(peer, vote);
        agreed_[index(peer)] = true;
        if (ballot_.heard_clients()) clients_agreed_.open();
    }

    bool out_of_reach(int peer) const
    {
        return io_.mine() == role::client && io_.of(peer) == role::client;
    }

    task<> send_yes_in(int stage)
    {
        std::vector<std::vector<std::byte>> messages;
        std::vector<task<>> sends;
        const auto vote_tag = io_.tag_for(message_kind::vote, 0);
        messages.reserve(index(plan_.radix(stage)));
        for (int d = 0; d < plan_.radix(stage); ++d) {
            const int peer = plan_.partner(io_.me(), stage, d);
            if (peer == io_.me() || out_of_reach(peer)) continue;
            messages.push_back(ballot_.yes_to(peer));
            sent_[index(peer)] = io_.post(peer, vote_tag, messages.back());
            if (!sent_[index(peer)]) sends.push_back(send_to(peer, messages.back()));
        }
        co_await when_all(std::move(sends));
    }

    task<> send_to(int peer, bytes message)
    {
        sent_[index(peer)] = true;
        try {
            co_await io_.send(peer, io_.tag_for(message_kind::vote, 0), message);
        } catch (const std::system_error&) {
            // Its silence, or its closed link, is noticed where its vote is awaited.
        }
    }

    peer_io& io_;
    ballot& ballot_;
    const butterfly& plan_;
    std::vector<bool> sent_;    // by rank: has had this peer's vote
    std::vector<bool> agreed_;  // by rank: has said yes
    bool said_yes_ = false;     // to a partner
    gate clients_agreed_;       // every client has said yes
    std::deque<gate> closed_;   // by stage: all votes are in, and say yes
};

}  // namespace papilio::detail
