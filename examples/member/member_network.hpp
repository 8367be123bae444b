#pragma once

#include "averaging.hpp"
#include "endpoint.hpp"

#include <papilio/collective/report.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// What everybody in the group does, by rank.
std::vector<role> roles_of(const wire::group& group);

struct member_network_options {
    tcp::endpoint listen;    ///< an empty host: nowhere, others cannot dial this member
    std::string run;         ///< members of other runs are turned away
    std::string congestion;  ///< "cubic", "bbr", ...; empty: the system's
    bool probed = true;      ///< lets the host of the run, member 0, measure this member's link
    duration idle_timeout = std::chrono::seconds(15);  ///< with a link from which nothing comes
};

/// This member's result of one attempt at a round.
struct average_result {
    bool ok = false;
    std::string why;  ///< if not ok
    int culprit =
        -1;  ///< if not ok: the id of the member that failed, if this one saw it itself; else -1
    report call_report;          ///< if ok; `peers` by rank in the group
    std::vector<double> shares;  ///< of the parts, by rank; empty: equal
    double seconds = 0;

    /// Bytes sent to and received from voters. Traffic with observers is not included.
    traffic among_voters;
};

/// A member's connections with the other members, over which it averages, sends the state of the
/// run to members that ask for it, and lets the host measure the link. Belongs to the loop; must
/// outlive the tasks that use it.
class member_network {
public:
    /// Throws a `problem` that says why this member cannot listen.
    member_network(asio_loop& on, std::uint16_t id, const member_network_options& o);
    member_network(const member_network&) = delete;
    member_network& operator=(const member_network&) = delete;

    /// The address that others dial. The host is empty where this member listens at any address,
    /// and the port is 0 where it does not listen.
    wire::endpoint announced() const;

    /// The address at which it listens, if it does.
    tcp::endpoint address() const { return net_.local(); }

    tcp::transport& net() noexcept { return net_; }

    /// Connects with a member. Throws `errc::timed_out` after `limit`.
    task<> reach(wire::member_endpoint member, duration limit);

    /// Sets the state that others get on request.
    void publish(shared_state latest) { latest_ = std::move(latest); }

    /// Averages in `group`: see `average`. From here on a member that the group names another
    /// process of is that one. A failure of other members is in the result; does not throw for it.
    task<average_result> average_in(wire::group group, round_codec codec,
                                    update_residuals& residuals, std::span<const float> in,
                                    std::span<float> out);

    /// Fetches the state after `round` rounds or a later one.
    task<state_snapshot> fetch(wire::member_endpoint donor, std::uint32_t round,
                               std::size_t parameters);

    /// Shuts all connections down in good order.
    task<> close() { return net_.close(); }

private:
    /// What a peer is served over a link. Over the next one it is served anew.
    struct service {
        std::uint32_t link = 0;
        std::optional<task<>> work;
    };

    task<> start_services();
    task<> serve(int peer);
    task<average_result> attempt(const wire::group& group, duration limit, round_codec codec,
                                 update_residuals& residuals, std::span<const float> in,
                                 std::span<float> out);
    task<> agree_shares(any_transport peers, call_options o, average_result& result);
    std::vector<int> to_reach(const wire::group& group);
    void admit_if_new(const wire::group_member& m);
    void stop_dialling_others(const wire::group& group);

    asio_loop& loop_;
    member_network_options options_;
    tcp::transport net_;
    shared_state latest_;
    link_history link_;
    std::map<int, std::uint32_t> processes_;  // of members, by id, as groups named them
    std::map<int, service> services_;         // by id
    task<> services_starter_ = start_services();
};

}  // namespace papilio::example
