#pragma once

#include <papilio/collective/detail/flow_meter.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::detail {

/// Measures what this peer's link carries while a call lasts. It looks at larger messages only:
/// small ones tell nothing of a link, and a clock's reading would cost more than they do.
class link_watch {
public:
    link_watch(any_transport net, time_point begin)
        : net_(std::move(net)),
          up_(begin),
          down_(begin),
          ways_out_(static_cast<std::size_t>(net_.size()))
    {
    }

    task<> send(int peer, tag t, bytes message)
    {
        return message.size() < least ? net_.send(peer, t, message) : timed(peer, t, message);
    }

    void received(std::size_t size, time_point now)
    {
        if (size < least) return;
        down_.moved(now, size);
        look_at_all(now);
    }

    void tell(report& to) const
    {
        to.up = up_.seen();
        to.down = down_.seen();
    }

private:
    static constexpr std::size_t least = 4096;

    struct way_out {
        bool begun = false;
        std::uint64_t base = 0;     // what had arrived before
        std::uint64_t sent = 0;     // of messages that are timed
        std::uint64_t arrived = 0;  // since then
    };

    way_out& way(int peer) { return ways_out_[static_cast<std::size_t>(peer)]; }

    task<> timed(int peer, tag t, bytes message)
    {
        auto& w = way(peer);
        if (!w.begun) w = {true, net_.arrived(peer).value_or(0)};
        co_await net_.send(peer, t, message);
        w.sent += message.size();
        loop& on = co_await this_loop{};
        note_arrivals(peer, on.now());
        look_at_all(on.now());
    }

    /// A transport may take more than it has delivered; where it tells, what has arrived counts.
    void note_arrivals(int peer, time_point now)
    {
        auto& w = way(peer);
        if (!w.begun) return;
        const auto told = net_.arrived(peer);
        const auto arrived = told ? *told - w.base : w.sent;
        if (arrived > w.arrived) up_.moved(now, arrived - std::exchange(w.arrived, arrived));
    }

    /// What arrives at a peer while nothing is sent to it must not all be noted when something is.
    void look_at_all(time_point now)
    {
        if (now < next_look_) return;
        const int peers = net_.size();
        next_look_ = now + std::chrono::milliseconds(2) + peers * std::chrono::microseconds(50);
        for (int peer = 0; peer < peers; ++peer) note_arrivals(peer, now);
    }

    any_transport net_;
    flow_meter up_, down_;
    std::vector<way_out> ways_out_;  // by rank
    time_point next_look_{};
};

}  // namespace papilio::detail
