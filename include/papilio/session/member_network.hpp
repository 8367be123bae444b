#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/swarm/update_log.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// What everybody in the group does, by rank.
std::vector<role> roles_of(const wire::group& group);

/// The all-reduce of a round: of this member's update, with options that the group has agreed on.
/// What it borrows must last until the task has ended.
using averaging_call = std::function<task<report>(any_transport, call_options)>;

struct member_network_options {
    tcp::endpoint listen;    ///< an empty host: nowhere, others cannot dial this member
    std::string run;         ///< members of other runs are turned away
    std::string congestion;  ///< "cubic", "bbr", ...; empty: the system's
    bool probed = true;      ///< lets the host of the run, member 0, measure this member's link
    duration idle_timeout = std::chrono::seconds(15);  ///< with a link from which nothing comes

    /// Bytes of past rounds' means that are kept for members that missed them. As much as the state
    /// has is enough: whoever can receive the mean of each round in time also receives all those
    /// that pass while the state comes, which are no more than that.
    std::uint64_t kept_means = 0;
};

/// A member without which a round ended.
struct departed_member {
    std::uint16_t id = 0;
    std::string why;  ///< as far as this one knows
};

/// This member's result of one attempt at a round.
struct average_result {
    bool ok = false;
    std::string why;  ///< if not ok
    int culprit =
        -1;  ///< if not ok: the id of the member that failed, if this one saw it itself; else -1
    report call_report;                    ///< if ok; `peers` by rank in the group
    std::vector<departed_member> left;     ///< if ok, by id
    std::vector<double> shares;            ///< of the parts, by rank; empty: equal
    std::vector<std::size_t> part_begins;  ///< if ok
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

    /// Sets the state that others get on request, and the mean that led to it from the one before,
    /// written by `write_mean`; empty: not known.
    void publish(shared_state latest, std::vector<std::byte> mean = {});

    /// Averages in `group` by `call`, whose result has `count` elements. From here on a member that
    /// the group names another process of is that one. The group goes on without members that are
    /// lost, as long as more than half of it are left. Other failures are in the result; does not
    /// throw for them.
    task<average_result> average_in(wire::group group, const averaging_call& call,
                                    std::size_t count);

    /// A member is gone, as the run's host says. When there is no link to it, nobody waits for one.
    void give_up(std::uint16_t id);

    /// Fetches the state after `round` rounds or a later one, whose spans have these lengths.
    task<state_snapshot> fetch(wire::member_endpoint donor, std::uint32_t round,
                               std::vector<std::size_t> sizes);

    /// Fetches the means of the rounds after the first `round`, as written by `write_mean`.
    task<std::vector<std::vector<std::byte>>> fetch_means(wire::member_endpoint donor,
                                                          std::uint32_t round);

    /// Shuts all connections down in good order.
    task<> close() { return net_.close(); }

private:
    /// What a peer is served over a link. Over the next one it is served anew.
    struct service {
        std::uint32_t link = 0;
        std::optional<task<>> work;
    };

    task<> start_services();
    void give_up_unconnected();
    task<> serve(int peer);
    task<> meet(const wire::group& group, std::vector<int> ids, duration limit);
    bool meets_majority(const wire::group& group);
    task<average_result> attempt(const wire::group& group, duration limit,
                                 const averaging_call& call, std::size_t count);
    void note_link(const report& call);
    task<> agree_shares(any_transport peers, call_options o, average_result& result);
    std::vector<int> to_reach(const wire::group& group);
    void admit_if_new(const wire::group_member& m);
    void stop_dialling_others(const wire::group& group);

    asio_loop& loop_;
    member_network_options options_;
    tcp::transport net_;
    shared_state latest_;
    update_log means_;
    link_history link_;
    std::map<int, std::uint32_t> processes_;  // of members, by id, as groups named them
    std::map<int, service> services_;         // by id
    std::set<int> gone_;                      // by id, as the host says; links may still be up
    task<> services_starter_ = start_services();
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/session/impl/member_network.hpp>
#include <papilio/session/impl/member_services.hpp>
#endif
