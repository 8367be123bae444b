#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/measure/flow_meter.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Measures what this peer's link carries while a call lasts. It looks at larger messages only:
/// small ones tell nothing of a link, and a clock's reading would cost more than they do.
class link_meter {
public:
    link_meter(any_transport net, time_point begin)
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

    /// A transport may take more than it has delivered; where it tells, what has arrived counts.
    struct way_out {
        bool begun = false;
        bool reports_delivery = false;
        std::uint64_t arrived = 0;  // when it was last asked
    };

    task<> timed(int peer, tag t, bytes message)
    {
        auto& way = ways_out_[static_cast<std::size_t>(peer)];
        if (!way.begun) {
            const auto told = net_.arrived(peer);
            way = {true, told.has_value(), told.value_or(0)};
        }
        co_await net_.send(peer, t, message);
        const auto sent = co_await now();
        if (!way.reports_delivery) up_.moved(sent, message.size());
        look_at_all(sent);
    }

    /// Asking costs system calls, so it is done now and then, and of all peers: what arrives at one
    /// while nothing is sent to it must not all be noted when something is.
    void look_at_all(time_point now)
    {
        if (now < next_look_) return;
        const int peers = net_.size();
        next_look_ = now + std::chrono::milliseconds(2) + peers * std::chrono::microseconds(50);
        for (int peer = 0; peer < peers; ++peer) {
            auto& way = ways_out_[static_cast<std::size_t>(peer)];
            if (!way.reports_delivery) continue;
            const auto told = net_.arrived(peer).value_or(0);
            if (told > way.arrived) up_.moved(now, told - std::exchange(way.arrived, told));
        }
    }

    any_transport net_;
    flow_meter up_, down_;
    std::vector<way_out> ways_out_;  // by rank
    time_point next_look_{};
};

}  // namespace papilio::detail
