#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/call_numbers.hpp>
#include <papilio/transport/detail/message_flow.hpp>
#include <papilio/transport/mailbox.hpp>

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// What one peer's access to the network is like.
struct access {
    double up_bytes_per_second = 12.5e6;
    double down_bytes_per_second = 12.5e6;
};

class world;

/// One peer's view of a simulated network.
class transport : papilio::detail::message_carrier {
public:
    transport(world& w, int rank, access a, int peers, std::size_t early_limit);

    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    /// Done when the last byte has left the uplink.
    task<> send(int peer, tag t, bytes message);
    bool post(int peer, tag t, bytes message);

    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        co_return co_await inbox_.take(peer, t, into);
    }

    call_numbers& calls() noexcept { return calls_; }
    void begin_call(tag t) { inbox_.begin_call(t); }
    void discard_call(tag t) { flow_.discard_call(t); }
    bool watch_call(tag t, gate& heard)
    {
        inbox_.watch_call(t, heard);
        return true;
    }
    void unwatch_call(const gate& heard) noexcept { inbox_.unwatch_call(heard); }
    void leave_answer(tag t, std::vector<std::byte> answer)
    {
        inbox_.leave_answer(t, std::move(answer));
    }
    std::size_t most_early_bytes() const noexcept { return inbox_.most_held(); }
    time_point last_heard(int peer) const;
    duration round_trip(int peer) const noexcept;
    task<bool> shares_host(int) const;

private:
    friend class world;

    struct kept_post {
        tag what{};
        std::vector<std::byte> content;
    };

    void launch(int peer, tag what, bytes content, tag order) override;
    void reopen(int peer);

    world& world_;
    int rank_;
    access access_;
    time_point uplink_free_{};
    time_point downlink_free_{};
    call_numbers calls_;
    std::vector<time_point> heard_;
    bool dead_ = false;
    std::size_t early_limit_;
    std::map<int, std::vector<kept_post>> kept_;  // by peer, for the link that comes back
    mailbox inbox_;
    papilio::detail::message_flow flow_;
};

}  // namespace papilio::sim

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/sim/world.hpp>  // whose end defines what needs the world
#endif
