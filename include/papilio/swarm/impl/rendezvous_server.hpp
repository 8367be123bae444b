#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/membership_log.hpp>
#include <papilio/swarm/rendezvous_server.hpp>
#include <papilio/swarm/rendezvous_session.hpp>
#include <papilio/wire/swarm.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL rendezvous_server::rendezvous_server(loop& on, run_description run,
                                                  wire::endpoint host, rendezvous_options o,
                                                  rendezvous_watcher* watcher)
    : loop_(on),
      host_(std::move(host)),
      options_(o),
      watcher_(watcher),
      run_(std::move(run), o.groups)
{
    heartbeats_.start(loop_);
}

PAPILIO_DECL pipe rendezvous_server::host_channel()
{
    PAPILIO_CHECK(!std::exchange(has_host_, true), "a run has one host");
    auto ends = make_pipe(loop_);
    open(any_channel(std::move(ends.first)), true);
    return std::move(ends.second);
}

PAPILIO_DECL void rendezvous_server::open(any_channel c, bool host)
{
    std::erase_if(sessions_, [](const auto& s) { return s->work->finished(); });
    if (!host) make_way();
    const auto from = [&] { return c.remote(); };
    detail::log(log_level::debug, "session opened", {"from"}, from);
    sessions_.push_back(
        std::make_unique<session>(clock_, std::move(c), host, options_.idle_timeout));
    session& s = *sessions_.back();
    s.work = std::make_unique<task<>>(serve_session(s));
    s.work->start(loop_);
}

/// Nobody is turned away for coming last: strangers that come again and again would keep members
/// out.
PAPILIO_DECL void rendezvous_server::make_way()
{
    const auto stranger = [](const auto& s) { return s->id() < 0 && !s->is_host(); };
    if (std::ranges::count_if(sessions_, stranger) < options_.max_unauthenticated) return;
    std::map<std::string, int> by_host;
    for (const auto& s : sessions_)
        if (stranger(s)) ++by_host[s->remote()];
    // The oldest of the largest crowd; of equal crowds, the one that was there first.
    auto oldest = sessions_.end();
    int crowd = 0;
    for (auto s = sessions_.begin(); s != sessions_.end(); ++s) {
        if (!stranger(*s)) continue;
        const int beside = by_host[(*s)->remote()];
        if (beside > crowd) {
            crowd = beside;
            oldest = s;
        }
    }
    if (oldest == sessions_.end()) return;
    const auto from = [&] { return (*oldest)->remote(); };
    detail::log(log_level::warning, "session refused", {"from", "why"}, from,
                "too many have not joined yet, most of them from there");
    sessions_.erase(oldest);
}

PAPILIO_DECL task<> rendezvous_server::serve_session(session& s)
{
    const served here(*this);
    std::string why = "it left";
    bool failed = true;
    try {
        co_await when_any(receive_messages(s), s.send_queue(), s.fail_on_overflow());
        failed = false;
    } catch (const std::system_error& failure) {
        why = failure.what();
        if (failure.code() == errc::timed_out) why = "nothing came from it for too long";
        if (failure.code() == errc::disconnected) why = "its channel closed";
    }
    if (s.id() >= 0 && run_.members().at(static_cast<std::uint16_t>(s.id())).leaving) {
        why = "it left";
        failed = false;
    }
    s.log_end(failed, why);
    if (s.id() >= 0) {
        const auto id = static_cast<std::uint16_t>(s.id());
        s.set_id(-1);
        run_.leave(id, why, clock_.now());
        act();
    }
    co_await s.close();
}

PAPILIO_DECL task<> rendezvous_server::receive_messages(session& s)
{
    const auto first = co_await s.receive(options_.handshake_timeout);
    bool more = admit(s, first);
    while (more) {
        const auto message = co_await s.receive(options_.idle_timeout);
        more = receive(s, message);
    }
    if (!s.ending()) co_return;
    co_await s.wait_for_end();
}

/// False: the member is refused, and told so.
PAPILIO_DECL bool rendezvous_server::admit(session& s, const wire::swarm_message& first)
{
    const auto* asked = std::get_if<wire::join>(&first);
    if (!asked) throw std::system_error(errc::bad_message, "a member's first message must be join");
    if (s.is_host()) {
        s.set_id(run_.admit_host(host_));
        s.post(wire::joined{0, host_, run_.status_for(0)});
    } else if (!welcome_member(s, *asked)) {
        return false;
    }
    act();
    return true;
}

/// False: it is refused.
PAPILIO_DECL bool rendezvous_server::welcome_member(session& s, const wire::join& request)
{
    if (closed_) {
        turn_away(s, request, *closed_);
        return false;
    }
    auto answer = run_.admit(request, s.remote());
    if (const auto* refused = std::get_if<wire::refused>(&answer)) {
        turn_away(s, request, *refused);
        return false;
    }
    auto& joined = std::get<wire::joined>(answer);
    joined.host = address_for(s.nearby(), 0);
    joined.now = addressed(s.nearby(), std::move(joined.now));
    const auto from = [&] { return s.remote(); };
    detail::log(log_level::info, "member joined", {"member", "name", "from"}, joined.id,
                request.name, from);
    s.set_id(joined.id);
    s.post(joined);
    return true;
}

PAPILIO_DECL void rendezvous_server::turn_away(session& s, const wire::join& request,
                                               const wire::refused& why)
{
    const auto from = [&] { return s.remote(); };
    detail::log(log_level::warning, "member refused", {"name", "from", "why"}, request.name, from,
                why.reason);
    s.dismiss(why);
}

/// False: this was the member's last message.
PAPILIO_DECL bool rendezvous_server::receive(session& s, const wire::swarm_message& message)
{
    if (s.id() < 0) return false;  // expelled, and about to learn of it
    if (std::holds_alternative<wire::alive>(message)) return true;
    const auto id = static_cast<std::uint16_t>(s.id());
    if (run_.members().at(id).leaving) return false;  // it does not stay
    try {
        detail::apply_message(run_, id, s, message, clock_.now());
    } catch (const std::system_error& failure) {
        const bool may_pass = failure.code() == errc::refused;
        run_.expel(id,
                   {failure.what(),
                    may_pass ? wire::refusal_kind::temporary : wire::refusal_kind::permanent},
                   clock_.now());
    }
    act();
    return s.id() >= 0;
}

PAPILIO_DECL void rendezvous_server::tell(std::uint16_t id, const wire::swarm_message& message)
{
    const auto found =
        std::ranges::find_if(sessions_, [id](const auto& s) { return s->id() == id; });
    if (found != sessions_.end()) (*found)->post(message);
}

/// Where member `id` can be dialled from this host, or from another one.
PAPILIO_DECL wire::endpoint rendezvous_server::address_for(bool nearby, std::uint16_t id) const
{
    if (id == 0 && !nearby && !advertised_.host.empty())
        return {advertised_.host, advertised_.port != 0 ? advertised_.port : host_.port};
    if (id == 0) return host_;
    const auto found = run_.members().find(id);
    if (found == run_.members().end()) return {};
    return detail::seen_by(nearby, found->second, advertised_.host);
}

PAPILIO_DECL wire::run_status rendezvous_server::addressed(bool nearby,
                                                           wire::run_status status) const
{
    for (auto& donor : status.donors) donor.at = address_for(nearby, donor.id);
    return status;
}

/// The member has left. Those that average may not have met it yet, and whoever is behind may ask
/// it for the state.
PAPILIO_DECL void rendezvous_server::release(std::uint16_t id)
{
    for (const auto& [other, m] : run_.members())
        if (m.state == member_state::averaging || m.state == member_state::outdated)
            tell(other, wire::gone{id});
    for (auto& s : sessions_)
        if (s->id() == id) s->release();
}

/// Tells a member `message`, which holds the run's status as `now`.
template <class Message>
void rendezvous_server::tell_status(std::uint16_t id, Message message)
{
    const auto found = run_.members().find(id);
    if (found == run_.members().end()) return;
    message.now = addressed(found->second.nearby, std::move(message.now));
    tell(id, message);
}

PAPILIO_DECL void rendezvous_server::call(const wire::group& group)
{
    std::array<wire::group, 2> views{group, group};  // from other hosts, and from this one
    for (const bool nearby : {false, true})
        for (auto& m : views[nearby].members) m.at = address_for(nearby, m.id);
    for (const auto& m : group.members) {
        const auto found = run_.members().find(m.id);
        if (found != run_.members().end()) tell(m.id, views[found->second.nearby]);
    }
}

PAPILIO_DECL void rendezvous_server::expel(std::uint16_t id, const std::string& reason)
{
    run_.expel(id, {reason}, clock_.now());
    act();
}

PAPILIO_DECL void rendezvous_server::close(const wire::refused& why)
{
    closed_ = why;
    std::vector<std::uint16_t> ids;
    for (const auto& [id, m] : run_.members())
        if (id != 0) ids.push_back(id);
    for (const auto id : ids) run_.expel(id, why, clock_.now());
    act();
}

PAPILIO_DECL task<> rendezvous_server::ended()
{
    while (!idle()) {
        ended_.close();
        co_await ended_.opened();
    }
}

/// Carries out the membership's events, and those that they lead to.
PAPILIO_DECL void rendezvous_server::act()
{
    if (std::exchange(acting_, true)) return;
    for (auto events = run_.take_events(); !events.empty(); events = run_.take_events())
        for (const auto& e : events) carry_out(e);
    acting_ = false;
    const auto next = run_.next_tick();
    alarm_.cancel();
    if (next != time_point::max()) loop_.post_at(alarm_, clock_.on_loop(next));
}

PAPILIO_DECL void rendezvous_server::carry_out(const membership_event& e)
{
    detail::log_membership(e);
    if (const auto* called = std::get_if<group_called>(&e)) {
        call(called->group);
    } else if (const auto* ended = std::get_if<member_round_outcome>(&e)) {
        tell_status(ended->id, ended->outcome);
    } else if (const auto* outdated = std::get_if<member_state_outdated>(&e)) {
        tell_status(outdated->id, wire::state_outdated{outdated->now});
    } else if (const auto* warned = std::get_if<member_warned>(&e)) {
        tell(warned->id, warned->warning);
    } else if (const auto* kept = std::get_if<member_kept>(&e)) {
        tell(kept->id, wire::leave{});
    } else if (const auto* left = std::get_if<member_left>(&e)) {
        for (auto& s : sessions_)
            if (s->id() == left->id && left->expelled) s->dismiss({left->reason, left->kind});
        release(left->id);
    }
    if (watcher_) watcher_->saw(e);
}

PAPILIO_DECL task<> rendezvous_server::send_heartbeats()
{
    for (;;) {
        co_await sleep_for(options_.heartbeat);
        clock_.now();  // so that it knows of no gap
        for (auto& s : sessions_)
            if (s->id() >= 0 && s->idle()) s->post(wire::alive{});
        std::erase_if(sessions_, [](const auto& s) { return s->work->finished(); });
    }
}

}  // namespace papilio
