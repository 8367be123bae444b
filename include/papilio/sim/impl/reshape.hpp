#pragma once

#include <papilio/base/config.hpp>
#include <papilio/sim/transport.hpp>
#include <papilio/sim/world.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

namespace detail {

/// How long it takes to carry something in all that began at `since` and would have taken `before`,
/// if from now on the rate is one by which the whole takes `anew`.
inline duration stretched(time_point since, time_point now, duration before, duration anew)
{
    const auto done = now - since;
    const std::chrono::duration<double> whole(before);
    const double left = 1 - std::chrono::duration<double>(done) / whole;
    return done + std::chrono::duration_cast<duration>(left * std::chrono::duration<double>(anew));
}

}  // namespace detail

PAPILIO_DECL void world::reshape(int rank, access a)
{
    auto& changed = peer(rank);
    check(rank, a);
    changed.access_ = a;
    send_rest(changed);
    receive_rest(changed);
}

/// The last byte has been received, and cannot be before it was sent.
PAPILIO_DECL time_point world::lands(const flight& f)
{
    return std::max(f.comes + f.reception, f.first + f.transmission);
}

/// Those on their way of which `passes(flight)` is true.
template <class Passes>
std::vector<world::flight*> world::under_way(const Passes& passes)
{
    std::vector<flight*> found;
    for (const auto& f : flights_)
        if (f->flies && passes(*f)) found.push_back(f.get());
    return found;
}

/// What has not left a peer's uplink does so at its present rate.
PAPILIO_DECL void world::send_rest(transport& from)
{
    auto rest = under_way(
        [&](const flight& f) { return f.from == from.rank_ && f.starts + f.transmission > now_; });
    std::ranges::stable_sort(rest, {}, &flight::starts);
    from.uplink_free_ = now_;
    std::map<time_point, time_point> ends;
    for (auto* const f : rest) {
        const auto before = f->starts + f->transmission;
        const auto whole = transmission(f->content.size(), from.access_.up_bytes_per_second);
        if (f->starts < now_) {
            f->transmission = detail::stretched(f->starts, now_, f->transmission, whole);
        } else {
            f->first += from.uplink_free_ - f->starts;
            f->starts = from.uplink_free_;
            f->transmission = whole;
        }
        from.uplink_free_ = f->starts + f->transmission;
        ends[before] = from.uplink_free_;
        if (f->queued) {
            queue& q = queues_[{f->from, f->to, f->order}];
            q.free = std::max(q.free, f->first + f->transmission);
        }
        if (auto* const l = befallen(f->from, f->to))
            l->latest = std::max(l->latest, f->first + f->transmission);
        post_at(*f, f->landed ? lands(*f) : std::max(f->first, now_));
    }
    from.depart_anew(ends);
}

/// What has not come through a peer's downlink does so at its present rate.
PAPILIO_DECL void world::receive_rest(transport& to)
{
    auto rest = under_way([&](const flight& f) {
        return f.to == to.rank_ && f.landed && f.comes + f.reception > now_;
    });
    std::ranges::stable_sort(rest, {}, &flight::comes);
    to.downlink_free_ = now_;
    for (auto* const f : rest) {
        const auto whole = transmission(f->content.size(), to.access_.down_bytes_per_second);
        if (f->comes < now_) {
            f->reception = detail::stretched(f->comes, now_, f->reception, whole);
        } else {
            f->comes = to.downlink_free_;
            f->reception = whole;
        }
        to.downlink_free_ = f->comes + f->reception;
        post_at(*f, lands(*f));
    }
}

}  // namespace papilio::sim
