#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/sim/transport.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::sim {

PAPILIO_DECL transport::transport(world& w, int rank, access a, int peers, std::size_t early_limit)
    : call_mailbox(early_limit),
      world_(w),
      rank_(rank),
      access_(a),
      heard_(static_cast<std::size_t>(peers)),
      early_limit_(early_limit),
      flow_(inbox_, *this, rank, peers, early_limit)
{
}

PAPILIO_DECL int transport::size() const noexcept
{
    return world_.size();
}

PAPILIO_DECL duration transport::round_trip(int) const noexcept
{
    return 2 * world_.latency_;
}

PAPILIO_DECL task<bool> transport::shares_host(int) const
{
    return papilio::detail::known(world_.one_host_);
}

PAPILIO_DECL task<> transport::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    if (dead_) throw std::system_error(errc::disconnected);
    co_await flow_.send(peer, t, message);
    departure left(*this);
    co_await left;
}

PAPILIO_DECL void transport::depart_anew(const std::map<time_point, time_point>& when)
{
    for (auto* const d : departures_)
        if (const auto found = when.find(d->when_); found != when.end()) {
            d->when_ = found->second;
            d->on_->post_at(d->wake_, d->when_);
        }
}

PAPILIO_DECL bool transport::post(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    constexpr std::size_t most = 1024;
    if (dead_) return false;
    if (!flow_.is_closed(peer)) {
        flow_.post(peer, t, message);
        return true;
    }
    const auto* const l = world_.befallen(rank_, peer);
    if (!l || !l->down || kept_[peer].size() == most) return false;
    kept_[peer].push_back({t, {message.begin(), message.end()}});
    return true;
}

PAPILIO_DECL void transport::reopen(int peer)
{
    flow_.close(peer, errc::disconnected);
    flow_.reopen(peer, early_limit_);
}

PAPILIO_DECL time_point transport::last_heard(int peer) const
{
    const auto message = heard_.at(static_cast<std::size_t>(peer));
    return world_.beats(peer, rank_) ? std::max(message, world_.last_beat()) : message;
}

PAPILIO_DECL void transport::launch(int peer, tag what, bytes content, tag order)
{
    if (dead_) return;
    const auto starts = std::max(uplink_free_, world_.now());
    uplink_free_ = starts + world::transmission(content.size(), access_.up_bytes_per_second);
    auto& f = world_.take_off(rank_, peer);
    f.what = what;
    f.order = order;
    world_.launch(f, content, order == behind_all ? starts + world_.jitter_ : starts);
}

}  // namespace papilio::sim
