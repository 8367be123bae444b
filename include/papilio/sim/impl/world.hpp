#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::sim {

PAPILIO_DECL world::world(weather w)
    : latency_(w.latency),
      jitter_(w.jitter),
      heartbeat_(w.heartbeat),
      one_host_(w.one_host),
      in_order_(w.jitter == duration{}),
      random_(w.seed)
{
    using papilio::detail::bad_value;
    if (w.peers < 1) throw bad_value("weather::peers", "at least 1", w.peers);
    if (w.latency < duration{}) throw bad_value("weather::latency", "at least 0", w.latency);
    if (w.jitter < duration{}) throw bad_value("weather::jitter", "at least 0", w.jitter);
    if (w.heartbeat < duration{}) throw bad_value("weather::heartbeat", "at least 0", w.heartbeat);
    if (w.early_limit < wire::first_window)
        throw bad_value("weather::early_limit", "at least 65536", w.early_limit);
    const auto peers = static_cast<std::size_t>(w.peers);
    silent_.resize(peers);
    stopped_.resize(peers);
    processes_.resize(peers);
    if (!w.each.empty() && w.each.size() != peers)
        throw papilio::detail::bad_length("weather::each", w.each.size(), peers);
    for (int rank = 0; rank < w.peers; ++rank) {
        const auto a = w.each.empty() ? w.all : w.each[static_cast<std::size_t>(rank)];
        check(rank, a);
        peers_.push_back(std::make_unique<transport>(*this, rank, a, w.peers, w.early_limit));
    }
}

PAPILIO_DECL world::~world()
{
    drop_spawned();
}

/// Waits for nothing: the world turns it.
class world::process_loop final : public loop {
public:
    explicit process_loop(world& in) : in_(in) {}
    ~process_loop() override { drop_spawned(); }

    time_point now() const noexcept override { return in_.now(); }

    /// When it is due again, once `run_one` has found nothing to do.
    time_point due() const { return due_; }

private:
    bool idle(time_point until) override
    {
        due_ = until;
        return until == time_point::min();
    }

    world& in_;
    time_point due_{};
};

PAPILIO_DECL loop& world::process(int rank)
{
    auto& found = processes_.at(static_cast<std::size_t>(rank));
    if (!found) found = std::make_unique<process_loop>(*this);
    return *found;
}

PAPILIO_DECL bool world::idle(time_point until)
{
    if (until == time_point::min()) return true;
    for (int rank = 0; rank < size(); ++rank) {
        auto* const p = processes_[static_cast<std::size_t>(rank)].get();
        if (!p || is_stopped(rank)) continue;
        if (p->run_one()) {
            post(turned_);
            return true;
        }
        until = std::min(until, p->due());
    }
    if (until != time_point::max()) now_ = std::max(now_, until);
    return until != time_point::max();
}

PAPILIO_DECL void world::check(int rank, const access& a)
{
    const auto check_rate = [&](const char* name, double rate) {
        if (!(rate > 0))
            throw papilio::detail::bad_value(
                "the access of peer " + std::to_string(rank) + ": " + name, "above 0", rate);
    };
    check_rate("up_bytes_per_second", a.up_bytes_per_second);
    check_rate("down_bytes_per_second", a.down_bytes_per_second);
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
    f.flies = false;
    f.landed = false;
    f.queued = false;
    f.link = 0;
    f.sent = now_;
    f.noted = 0;
    return f;
}

PAPILIO_DECL void world::launch(flight& f, bytes content, time_point leaves)
{
    f.flies = true;
    f.starts = leaves;
    f.transmission = transmission(content.size(), peer(f.from).access_.up_bytes_per_second);
    f.content.assign(content.begin(), content.end());
    auto arrives = leaves + latency_ + draw(jitter_);
    auto* const l = befallen(f.from, f.to);
    if (l) {
        arrives += l->longer + draw(l->spread);
        if (f.last || f.order == transport::behind_all) arrives = std::max(arrives, l->latest);
        f.link = l->link;
    }
    f.first = in_order(f, arrives);
    if (l) l->latest = std::max(l->latest, f.first + f.transmission);
    post_at(f, f.first);
}

PAPILIO_DECL time_point world::in_order(flight& f, time_point arrives)
{
    if (in_order_) return arrives;
    queue& q = queues_[{f.from, f.to, f.order}];
    ++q.count;
    f.queued = true;
    arrives = std::max(q.free, arrives);
    q.free = arrives + f.transmission;
    return arrives;
}

PAPILIO_DECL void world::leave_queue(flight& f)
{
    if (!std::exchange(f.queued, false)) return;
    const auto found = queues_.find({f.from, f.to, f.order});
    if (--found->second.count == 0) queues_.erase(found);
}

/// The first byte claims the receiver's downlink, in the order of arrival; the last one cannot be
/// there before it has been sent.
PAPILIO_DECL void world::flight::fire()
{
    auto& receiver = in->peer(to);
    if (!landed) {
        landed = true;
        comes = std::max(receiver.downlink_free_, in->now());
        reception = world::transmission(content.size(), receiver.access_.down_bytes_per_second);
        receiver.downlink_free_ = comes + reception;
        in->post_at(*this, lands(*this));
    } else {
        in->arrive(*this);
    }
}

PAPILIO_DECL void world::arrive(flight& f)
{
    f.flies = false;
    leave_queue(f);
    const auto* const l = befallen(f.from, f.to);
    const bool lost =
        is_silent(f.from) || is_silent(f.to) || (l && (f.link != l->link || (l->down && !f.last)));
    const bool waits = !lost && (is_stopped(f.to) || (l && l->cuts > 0));
    if (carried_) note(f, !lost && !waits);
    if (waits) {
        held_.push_back(&f);
        return;
    }
    if (!lost) deliver(f);
    f.content.clear();
    f.content.shrink_to_fit();
    spare_.push_back(&f);
}

PAPILIO_DECL void world::deliver(flight& f)
{
    auto& receiver = peer(f.to);
    const auto when = static_cast<std::uint64_t>(now_.time_since_epoch().count());
    trace_ =
        hash(trace_, when, static_cast<std::uint64_t>(f.from), static_cast<std::uint64_t>(f.to),
             static_cast<std::uint64_t>(f.what), f.content.size());
    receiver.heard_[static_cast<std::size_t>(f.from)] = now_;
    if (f.last) return receiver.flow_.close(f.from, errc::disconnected);
    flip_if_due(f);
    receiver.flow_.arrived(f.from, f.what, f.content);
}

PAPILIO_DECL void world::flip_if_due(flight& f)
{
    auto* const l = befallen(f.from, f.to);
    const auto kind = fields_of(f.what).kind;
    const bool data = kind == message_kind::contribution || kind == message_kind::result;
    if (!l || l->flips == 0 || !data || f.content.empty()) return;
    --l->flips;
    ++flipped_;
    const auto last = std::min<std::size_t>(f.content.size(), 4);
    f.content[f.content.size() - 1 - random_.below(last)] ^= std::byte{1} << random_.below(8);
}

/// One that waits is noted at first, and again when it arrives.
PAPILIO_DECL void world::note(flight& f, bool arrived)
{
    if (f.noted == 0) {
        carried_->push_back({.from = f.from,
                             .to = f.to,
                             .what = f.what,
                             .size = f.content.size(),
                             .ends_link = f.last,
                             .sent = f.sent});
        f.noted = carried_->size();
    }
    auto& message = (*carried_)[f.noted - 1];
    message.arrived = arrived;
    message.arrives = now_;
}

/// What was held arrives in the order in which it came, as far as it can now.
PAPILIO_DECL void world::release()
{
    for (auto* const f : std::exchange(held_, {})) arrive(*f);
}

PAPILIO_DECL world::lane& world::between(int from, int to)
{
    PAPILIO_CHECK(from != to && from >= 0 && to >= 0 && from < size() && to < size(),
                  "a link is between two peers of the world");
    return befallen_[{from, to}];
}

PAPILIO_DECL world::lane* world::befallen(int from, int to)
{
    const auto found = befallen_.find({from, to});
    return found == befallen_.end() ? nullptr : &found->second;
}

PAPILIO_DECL bool world::beats(int from, int to)
{
    if (heartbeat_ == duration{} || is_dead(from) || is_silent(from) || is_silent(to)) return false;
    if (is_stopped(from) || is_stopped(to)) return false;
    const auto* const l = befallen(from, to);
    return !l || (l->cuts == 0 && !l->down);
}

/// Before it changes who hears whom.
PAPILIO_DECL void world::note_heartbeats()
{
    if (heartbeat_ == duration{}) return;
    for (int from = 0; from < size(); ++from)
        for (int to = 0; to < size(); ++to)
            if (from != to && beats(from, to))
                peer(to).heard_[static_cast<std::size_t>(from)] = peer(to).last_heard(from);
}

PAPILIO_DECL void world::kill(int rank)
{
    note_heartbeats();
    auto& victim = peer(rank);
    victim.dead_ = true;
    for (int other = 0; other < size(); ++other) {
        if (other == rank) continue;
        victim.flow_.close(other, errc::disconnected);
        auto& end = take_off(rank, other);
        end.last = true;
        launch(end, {}, std::max(victim.uplink_free_, now_) + jitter_);
    }
    stopped_[static_cast<std::size_t>(rank)] = 0;
    release();
}

PAPILIO_DECL void world::restart(int rank)
{
    PAPILIO_CHECK(is_dead(rank), "only a process that was killed is started again");
    note_heartbeats();
    auto& place = peers_[static_cast<std::size_t>(rank)];
    auto next =
        std::make_unique<transport>(*this, rank, place->access_, size(), place->early_limit_);
    former_peers_.push_back(std::exchange(place, std::move(next)));
    for (int other = 0; other < size(); ++other) {
        if (other == rank) continue;
        if (is_dead(other)) {
            place->flow_.close(other, errc::disconnected);
            continue;
        }
        replace_link(rank, other);
        peer(other).kept_.erase(rank);
        peer(other).reopen(rank);
    }
}

PAPILIO_DECL void world::stop(int rank)
{
    note_heartbeats();
    ++stopped_.at(static_cast<std::size_t>(rank));
}

/// Whether it looks at the time or at its messages first is left to chance, if anything is.
PAPILIO_DECL void world::go_on(int rank)
{
    auto& stopped = stopped_.at(static_cast<std::size_t>(rank));
    if (stopped == 0 || --stopped > 0) return;
    auto* const p = processes_[static_cast<std::size_t>(rank)].get();
    if (p && draw(jitter_) > jitter_ / 2)
        while (p->run_one()) {
        }
    release();
}

PAPILIO_DECL void world::silence(int rank)
{
    note_heartbeats();
    silent_.at(static_cast<std::size_t>(rank)) = true;
}

PAPILIO_DECL void world::clog(int from, int to, duration longer, duration spread)
{
    if (longer < duration{}) throw papilio::detail::bad_value("longer", "at least 0", longer);
    if (spread < duration{}) throw papilio::detail::bad_value("spread", "at least 0", spread);
    auto& l = between(from, to);
    l.longer = longer;
    l.spread = spread;
    in_order_ = false;
}

PAPILIO_DECL void world::cut(int from, int to)
{
    note_heartbeats();
    ++between(from, to).cuts;
}

PAPILIO_DECL void world::heal(int from, int to)
{
    auto& cuts = between(from, to).cuts;
    if (cuts > 0 && --cuts == 0) release();
}

PAPILIO_DECL void world::flip(int from, int to)
{
    ++between(from, to).flips;
}

/// What is on the way between the two is lost.
PAPILIO_DECL void world::replace_link(int a, int b)
{
    for (auto* const l : {&between(a, b), &between(b, a)}) {
        l->down = false;
        ++l->link;
    }
}

PAPILIO_DECL void world::drop(int a, int b)
{
    if (is_dead(a) || is_dead(b)) return;
    note_heartbeats();
    replace_link(a, b);
    between(a, b).down = between(b, a).down = true;
    peer(a).flow_.close(b, errc::disconnected);
    auto& end = take_off(a, b);
    end.last = true;
    launch(end, {}, now_);
}

PAPILIO_DECL void world::connect(int a, int b)
{
    if (is_dead(a) || is_dead(b) || !between(a, b).down) return;
    replace_link(a, b);
    peer(a).reopen(b);
    peer(b).reopen(a);
    for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)})
        if (const auto kept = peer(from).kept_.extract(to))
            for (const auto& p : kept.mapped()) peer(from).flow_.post(to, p.what, p.content);
}

}  // namespace papilio::sim
