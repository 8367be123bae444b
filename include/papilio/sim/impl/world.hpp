#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::sim {

PAPILIO_DECL world::world(weather w)
    : latency_(w.latency), jitter_(w.jitter), one_host_(w.one_host), random_(w.seed)
{
    using detail::bad_value;
    if (w.peers < 1) throw bad_value("weather::peers", "at least 1", w.peers);
    if (w.latency < duration{}) throw bad_value("weather::latency", "at least 0", w.latency);
    if (w.jitter < duration{}) throw bad_value("weather::jitter", "at least 0", w.jitter);
    if (w.early_limit < wire::first_window)
        throw bad_value("weather::early_limit", "at least 65536", w.early_limit);
    const auto peers = static_cast<std::size_t>(w.peers);
    silent_.resize(peers);
    dead_.resize(peers);
    if (!w.each.empty() && w.each.size() != peers)
        throw detail::bad_length("weather::each", w.each.size(), peers);
    for (int rank = 0; rank < w.peers; ++rank) {
        const auto a = w.each.empty() ? w.all : w.each[static_cast<std::size_t>(rank)];
        check(rank, a);
        peers_.push_back(std::make_unique<transport>(*this, rank, a, w.peers, w.early_limit));
    }
}

PAPILIO_DECL void world::check(int rank, const access& a)
{
    const auto check_rate = [&](const char* name, double rate) {
        if (!(rate > 0))
            throw detail::bad_value("the access of peer " + std::to_string(rank) + ": " + name,
                                    "above 0", rate);
    };
    check_rate("up_bytes_per_second", a.up_bytes_per_second);
    check_rate("down_bytes_per_second", a.down_bytes_per_second);
}

PAPILIO_DECL transport::transport(world& w, int rank, access a, int peers, std::size_t early_limit)
    : world_(w),
      rank_(rank),
      access_(a),
      heard_(static_cast<std::size_t>(peers)),
      inbox_(early_limit),
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
    return detail::known(world_.one_host_);
}

PAPILIO_DECL task<> transport::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    if (world_.is_dead(rank_)) throw std::system_error(errc::disconnected);
    co_await flow_.send(peer, t, message);
    co_await sleep_until(uplink_free_);
}

PAPILIO_DECL bool transport::post(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    if (world_.is_dead(rank_)) return false;
    flow_.post(peer, t, message);
    return true;
}

PAPILIO_DECL void transport::launch(int peer, tag what, bytes content, tag order)
{
    if (world_.is_dead(rank_)) return;
    const auto starts = std::max(uplink_free_, world_.now());
    uplink_free_ = starts + world::transmission(content.size(), access_.up_bytes_per_second);
    auto& f = world_.take_off(rank_, peer);
    f.what = what;
    f.order = order;
    world_.launch(f, content, order == behind_all ? starts + world_.jitter_ : starts);
}

PAPILIO_DECL world::flight& world::take_off(int from, int to)
{
    if (spare_.empty()) {
        flights_.push_back(std::make_unique<flight>());
        spare_.push_back(flights_.back().get());
    }
    flight& f = *spare_.back();
    spare_.pop_back();
    f.in = this;
    f.from = from;
    f.to = to;
    f.what = f.order = tag{};
    f.last = false;
    f.landed = false;
    return f;
}

PAPILIO_DECL void world::launch(flight& f, bytes content, time_point leaves)
{
    f.transmission = transmission(content.size(), peer(f.from).access_.up_bytes_per_second);
    f.content.assign(content.begin(), content.end());
    post_at(f, in_order(f, leaves + delay()));
}

PAPILIO_DECL time_point world::in_order(const flight& f, time_point arrives)
{
    if (jitter_ == duration{}) return arrives;  // then everything arrives in order
    queue& q = under_way_[{f.from, f.to, f.order}];
    ++q.count;
    arrives = std::max(q.free, arrives);
    q.free = arrives + f.transmission;
    return arrives;
}

/// The first byte claims the receiver's downlink, in the order of arrival; the last one cannot be
/// there before it has been sent.
PAPILIO_DECL void world::flight::fire()
{
    auto& receiver = in->peer(to);
    if (!landed) {
        landed = true;
        const auto starts = std::max(receiver.downlink_free_, in->now());
        const auto received =
            starts + world::transmission(content.size(), receiver.access_.down_bytes_per_second);
        receiver.downlink_free_ = received;
        in->post_at(*this, std::max(received, in->now() + transmission));
    } else {
        in->arrive(*this);
    }
}

PAPILIO_DECL void world::arrive(flight& f)
{
    auto& receiver = peer(f.to);
    if (jitter_ != duration{}) {
        const auto found = under_way_.find({f.from, f.to, f.order});
        if (--found->second.count == 0) under_way_.erase(found);
    }
    if (hears(f.to, f.from)) {
        const auto when = static_cast<std::uint64_t>(now_.time_since_epoch().count());
        trace_ =
            hash(trace_, when, static_cast<std::uint64_t>(f.from), static_cast<std::uint64_t>(f.to),
                 static_cast<std::uint64_t>(f.what), f.content.size());
        receiver.heard_[static_cast<std::size_t>(f.from)] = now_;
        if (f.last)
            receiver.flow_.close(f.from, errc::disconnected);
        else
            receiver.flow_.arrived(f.from, f.what, f.content);
    }
    f.content.clear();
    f.content.shrink_to_fit();
    spare_.push_back(&f);
}

PAPILIO_DECL void world::reshape(int rank, access a)
{
    auto& changed = peer(rank);
    check(rank, a);
    changed.access_ = a;
}

PAPILIO_DECL void world::kill(int rank)
{
    auto& victim = peer(rank);
    dead_.at(static_cast<std::size_t>(rank)) = true;
    for (int other = 0; other < size(); ++other) {
        if (other == rank) continue;
        victim.flow_.close(other, errc::disconnected);
        auto& end = take_off(rank, other);
        end.last = true;
        launch(end, {}, std::max(victim.uplink_free_, now_) + jitter_);
    }
}

}  // namespace papilio::sim
