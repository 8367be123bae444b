#pragma once

#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agree_links.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/plan/balance.hpp>
#include <papilio/session/mean_bytes.hpp>
#include <papilio/session/member_network.hpp>
#include <papilio/session/problem.hpp>
#include <papilio/transport/subset.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline std::uint64_t round_group_number(const std::string& run)
{
    const auto text = std::as_bytes(std::span(run));
    return hash(checksum(text), text.size());
}

/// Tells the others that this member does not make a call which they may make, so that they need
/// not wait for it.
inline task<> decline(any_transport net, call_options o)
{
    opened_call opened(net, o);
    opened.prepared([]() -> int {
        throw std::system_error(errc::peer_failed, "the round has failed for this member");
    });
    try {
        task<report> declined = opened.refuse();
        co_await std::move(declined);
    } catch (const std::system_error&) {
        // As it was to be.
    }
}

/// The members without which a call has ended.
inline std::vector<departed_member> departed_of(const report& call, const wire::group& group)
{
    std::vector<departed_member> all;
    for (const auto& gone : call.left) {
        const auto& m = group.members.at(static_cast<std::size_t>(gone.rank));
        all.push_back({m.id, gone.why ? gone.why.message() : "others lost it"});
    }
    return all;
}

/// The endpoints by id, of which only this member's own is known at first.
inline std::vector<tcp::endpoint> own_endpoint(std::uint16_t id, const tcp::endpoint& at)
{
    std::vector<tcp::endpoint> endpoints(std::size_t{id} + 1);
    endpoints[id] = at;
    return endpoints;
}

inline tcp::options member_connections(const member_network_options& o)
{
    tcp::options t;
    t.group = round_group_number(o.run);
    t.congestion = o.congestion.empty() ? nullptr : o.congestion.c_str();
    t.max_peers = wire::max_members + 1;
    t.idle_timeout = o.idle_timeout;
    return t;
}

inline traffic among_voters(const report& r, std::span<const role> roles)
{
    traffic sum;
    for (std::size_t rank = 0; rank < roles.size(); ++rank) {
        if (!votes(roles[rank])) continue;
        sum.sent += r.peers[rank].sent;
        sum.received += r.peers[rank].received;
    }
    return sum;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL std::vector<role> roles_of(const wire::group& group)
{
    std::vector<role> roles;
    for (const auto& m : group.members) roles.push_back(role{static_cast<std::uint8_t>(m.role)});
    return roles;
}

PAPILIO_DECL member_network::member_network(asio_loop& on, std::uint16_t id,
                                            const member_network_options& o)
try : loop_(on), options_(o),
    net_(on, id, detail::own_endpoint(id, o.listen), detail::member_connections(options_)),
    means_(static_cast<std::size_t>(o.kept_means)) {
    services_starter_.start(loop_);
} catch (const std::system_error& failure) {
    throw problem(failure.code(), sentence(failure) + ": " + failure.code().message());
}

PAPILIO_DECL wire::endpoint member_network::announced() const
{
    if (options_.listen.host.empty()) return {};
    const auto at = net_.local();
    return {listens_anywhere(at.host) ? "" : at.host, at.port};
}

PAPILIO_DECL task<> member_network::reach(wire::member_endpoint member, duration limit)
{
    const int id = member.id;
    if (gone_.contains(id))
        throw std::system_error(errc::disconnected, "member " + std::to_string(id) + " is gone");
    if (net_.has_left(id)) {
        net_.admit(id);  // this is the next member of that id
        processes_.erase(id);
    }
    if (member.at.port != 0) net_.set_address(id, {member.at.host, member.at.port});
    co_await net_.connect({id}, limit);
}

/// The members of the group to connect with. Two members that cannot be dialled do not connect, and
/// need not: neither owns a part. Yet the transport must know of every member.
PAPILIO_DECL std::vector<int> member_network::to_reach(const wire::group& group)
{
    std::vector<int> ids;
    for (const auto& m : group.members) gone_.erase(m.id);
    stop_dialling_others(group);
    for (const auto& m : group.members) {
        if (m.id == net_.rank()) continue;
        admit_if_new(m);
        const bool dialled = m.at.port != 0;
        net_.set_address(m.id, dialled ? tcp::endpoint{m.at.host, m.at.port} : tcp::endpoint{});
        if (dialled || !options_.listen.host.empty()) ids.push_back(m.id);
    }
    return ids;
}

/// The members of a group are told at the same point of the run that an id is another process's. A
/// newcomer finds all links fresh, and whoever was met outside of groups is the one that is there.
PAPILIO_DECL void member_network::admit_if_new(const wire::group_member& m)
{
    const auto [known, first] = processes_.try_emplace(m.id, m.process);
    const bool other = first ? net_.has_left(m.id) : known->second != m.process;
    known->second = m.process;
    if (other) net_.admit(m.id);
}

/// Members that are gone would be dialled for ever. A later group, or a donor's address, says where
/// to dial one again.
PAPILIO_DECL void member_network::stop_dialling_others(const wire::group& group)
{
    for (int id = 1; id < net_.size(); ++id) {
        const auto same = [id](const wire::group_member& m) { return m.id == id; };
        if (id != net_.rank() && !net_.connected(id) && std::ranges::none_of(group.members, same))
            net_.set_address(id, {});
    }
}

/// Connects with these members, or with as many as can go on alone: whoever cannot be reached for a
/// while may be lost, and calls find out. Throws after half of `limit`.
PAPILIO_DECL task<> member_network::meet(const wire::group& group, std::vector<int> ids,
                                         duration limit)
{
    const auto last = later(loop_.now(), limit / 2);
    for (auto next = later(loop_.now(), limit / 8);; next = later(next, limit / 8)) {
        bool again = true;  // without one that has left meanwhile
        while (again) {
            std::erase_if(ids, [this](int id) { return net_.has_left(id); });
            try {
                co_await net_.connect(ids, next - loop_.now());
                co_return;
            } catch (const std::system_error& failure) {
                again = std::ranges::any_of(ids, [this](int id) { return net_.has_left(id); });
                const bool may_pass = failure.code() == errc::timed_out && next < last;
                if (!again && !meets_majority(group) && !may_pass) throw;
            }
        }
        if (meets_majority(group)) co_return;
    }
}

/// A link that is up may bring what the member has still sent, and breaks soon after.
PAPILIO_DECL void member_network::give_up(std::uint16_t id)
{
    if (id != net_.rank()) gone_.insert(id);
    give_up_unconnected();
}

PAPILIO_DECL void member_network::give_up_unconnected()
{
    for (const int id : gone_)
        if (id < net_.size() && !net_.connected(id) && !net_.has_left(id)) net_.give_up(id);
}

/// Whether it is connected with so many voters that these and itself are more than half.
PAPILIO_DECL bool member_network::meets_majority(const wire::group& group)
{
    std::ptrdiff_t voters = 0, met = 0;
    for (const auto& m : group.members) {
        if (m.role == wire::member_role::observer) continue;
        ++voters;
        if (m.id == net_.rank() || net_.connected(m.id)) ++met;
    }
    return 2 * met > voters;
}

PAPILIO_DECL task<average_result> member_network::average_in(wire::group group,
                                                             const averaging_call& call,
                                                             std::size_t count)
{
    const auto begun = loop_.now();
    std::vector<int> ids = to_reach(group);
    average_result result;
    bool reached = false;
    try {
        const duration limit = std::chrono::milliseconds(group.timeout_ms);
        co_await meet(group, ids, limit);
        reached = true;
        const auto left = begun + limit - loop_.now();
        task<average_result> attempted = attempt(group, left, call, count);
        result = co_await std::move(attempted);
    } catch (const std::system_error& failure) {
        result.why = failure.what();
    }
    if (!reached) {
        const auto missing = std::ranges::find_if(ids, [&](int id) { return !net_.connected(id); });
        if (missing != ids.end()) result.culprit = *missing;
    }
    result.seconds = std::chrono::duration<double>(loop_.now() - begun).count();
    co_return result;
}

PAPILIO_DECL task<average_result> member_network::attempt(const wire::group& group, duration limit,
                                                          const averaging_call& call,
                                                          std::size_t count)
{
    std::vector<int> ids;
    for (const auto& m : group.members) ids.push_back(m.id);
    const auto roles = roles_of(group);
    subset<tcp::transport> peers(net_, std::move(ids), group.epoch);
    // Two calls for each round: one to agree on the parts, and the mean.
    static_assert(max_call % 2 == 1);
    call_options o;
    o.roles = roles;
    o.salvage = true;
    average_result result;
    bool agreed = false;
    try {
        const auto begun = loop_.now();
        o.call = 2 * group.round % (max_call - 1) + 1;
        o.timeout = limit / 2;
        co_await agree_shares(any_transport(peers), o, result);
        agreed = true;
        ++o.call;
        o.timeout = begun + limit - loop_.now();
        o.shares = result.shares;
        task<report> round = call(any_transport(peers), o);
        result.call_report = co_await std::move(round);
        note_link(result.call_report);
        result.left = detail::departed_of(result.call_report, group);
        result.among_voters = detail::among_voters(result.call_report, roles);
        result.part_begins = part_begins(count, roles, result.shares);
        result.ok = true;
    } catch (const call_error& failure) {
        result.why = failure.what();
        if (failure.culprit() >= 0 && failure.reporter() == peers.rank())
            result.culprit = peers.member(failure.culprit());
    }
    if (!agreed) {
        ++o.call;
        co_await detail::decline(any_transport(peers), o);
    }
    co_return result;
}

PAPILIO_DECL void member_network::note_link(const report& call)
{
    const auto now = loop_.now().time_since_epoch();
    link_.note_call(call.up, call.down, now);
    if (const auto round_trip = call.round_trip)
        link_.note_latency(std::chrono::duration<double>(*round_trip).count() / 2, now);
}

/// Sizes the parts by the links that all members have measured, since a peer's traffic grows with
/// its part. Two voters send everything anyway, whatever their parts are.
PAPILIO_DECL task<> member_network::agree_shares(any_transport peers, call_options o,
                                                 average_result& result)
{
    if (std::ranges::count_if(o.roles, votes) < 3) co_return;
    const auto mine = link_.tell(loop_.now().time_since_epoch());
    task<std::optional<link_table>> agreed = agree_links(peers, mine, o);
    const auto table = co_await std::move(agreed);
    if (table) result.shares = worthwhile_shares(table->access, o.roles);
}

}  // namespace papilio
