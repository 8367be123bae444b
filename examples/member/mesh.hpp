#pragma once

#include "averaging.hpp"
#include "endpoint.hpp"

#include <papilio/collective/report.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// What everybody in the group does, by rank.
std::vector<role> roles_of(const wire::group& group);

struct mesh_options {
    tcp::endpoint listen;    ///< an empty host: nowhere, others cannot dial this member
    std::string run;         ///< members of other runs are turned away
    std::string congestion;  ///< "cubic", "bbr", ...; empty: the system's
    bool probed = true;      ///< lets the host of the run, member 0, measure this member's link
    duration patience = std::chrono::seconds(15);  ///< with a link from which nothing comes
};

/// How a round of averaging went for this member.
struct averaged {
    bool ok = false;
    std::string why;             ///< if not ok
    int culprit = -1;            ///< if not ok: the id whose failure this member saw itself, or -1
    report what;                 ///< if ok; `peers` by rank in the group
    std::vector<double> shares;  ///< of the parts, by rank; empty: equal
    double seconds = 0;

    /// Bytes sent to and received from those that vote; observers come on top.
    traffic among_voters;
};

/// A member's connections with other members, and what it does for them at any time: it gives
/// newcomers the state of the run, and lets the host measure the link. Belongs to the loop; must
/// outlive the tasks that use it.
class mesh {
public:
    /// Throws a `problem` that says why this member cannot listen.
    mesh(asio_loop& on, std::uint16_t id, const mesh_options& o);
    mesh(const mesh&) = delete;
    mesh& operator=(const mesh&) = delete;

    /// Where others dial this member; the host is empty where it listens at any address.
    wire::endpoint place() const;

    /// Where it listens, if anywhere.
    tcp::endpoint address() const { return net_.local(); }

    tcp::transport& net() noexcept { return net_; }

    /// Finishes when the link to a member stands.
    task<> reach(wire::member_endpoint member, duration patience);

    /// From now on this is the state that newcomers get.
    void publish(shared_state latest) { latest_ = std::move(latest); }

    /// Averages in `group`: see `average`. Never throws for what others do or fail to do.
    task<averaged> average_in(wire::group group, round_codec codec, unsent_updates& unsent,
                              std::span<const float> in, std::span<float> out);

    /// Fetches the state after at least `round` rounds.
    task<state_snapshot> fetch(wire::member_endpoint donor, std::uint32_t round,
                               std::size_t parameters, transfer_progress* progress = nullptr);

    /// Says farewell to everybody.
    task<> close() { return net_.close(); }

private:
    task<> attend();
    task<> serve(int peer);
    task<averaged> attempt(const wire::group& group, duration limit, round_codec codec,
                           unsent_updates& unsent, std::span<const float> in, std::span<float> out);
    task<> agree_shares(any_transport peers, call_options o, averaged& how);
    std::vector<int> to_reach(const wire::group& group);

    asio_loop& loop_;
    mesh_options options_;
    tcp::transport net_;
    shared_state latest_;
    link_history link_;
    std::list<task<>> services_;
    task<> attendant_ = attend();
};

}  // namespace papilio::example
