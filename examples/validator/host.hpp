#pragma once

#include "thresholds.hpp"

#include <member/averaging.hpp>
#include <member/mesh.hpp>
#include <member/state.hpp>

#include <papilio/async/offload.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/swarm/rendezvous.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example {

/// A member, as the host knows it.
struct known_member {
    std::string name;
    wire::endpoint at;
    bool present = false;
    bool ready = false;
    wire::round_ready progress;  ///< what it said last
    std::string left;            ///< why, if not present
};

/// What the host knows about everybody at one time.
struct overview {
    std::uint32_t round = 0;
    bool averaging = false;
    std::map<std::uint16_t, known_member> members;  ///< miners only
    std::map<std::uint16_t, link_figures> links;
};

/// A round that is over, as the host saw it.
struct observation {
    group_settled what;
    shared_state state;          ///< after it, if it succeeded and reached this member
    std::string digest;          ///< of that state
    report seen;                 ///< of this member's own part in it, if that succeeded
    std::vector<double> shares;  ///< of the parts, by rank in the group; empty: equal
    std::string why;             ///< if it did not
    overview around;
};

struct host_options {
    tcp::endpoint listen;
    mesh_options mesh;
    run_description run;
    rendezvous_options rendezvous;
    round_codec codec{};
    outer_options outer;
    std::uint32_t rounds = 0;  ///< to end after; 0: never
    std::size_t probe_bytes = std::size_t{8} << 20;
};

/// The network's side of the validator: the rendezvous, member 0 that observes every round and
/// keeps the shared model, and the measurement of links between rounds. Belongs to the loop.
class host final : private rendezvous_watcher {
public:
    /// Calls `tell` on the loop with each round that is over, and `note` with a line for people
    /// about each miner that comes or goes. Throws a `problem` when it cannot listen.
    host(asio_loop& on, const host_options& o, shared_state first, std::string digest,
         std::function<void(observation)> tell, std::function<void(std::string)> note);
    ~host() override;

    /// Where miners join.
    tcp::endpoint address() const { return listener_.local(); }

    /// Where they exchange models with this member.
    tcp::endpoint mesh_address() const { return mesh_.address(); }

    /// Hosts the run until its end.
    task<> run();

    /// Lets the round under way finish, and then ends the run.
    void end();

    overview look() const;

private:
    void saw(const membership_event& what) override;
    task<> take_part();
    task<> observe(wire::group group);
    task<> catch_up(wire::run_status now);
    void tell_rounds(const averaged* how);
    task<> ending();
    task<> dismiss_all();
    task<> measure_links();
    task<> measure(std::uint16_t id);
    std::optional<std::uint16_t> next_to_measure();

    asio_loop& loop_;
    host_options options_;
    std::function<void(observation)> tell_;
    std::function<void(std::string)> note_;
    thread_pool pool_{1};

    shared_state state_;
    std::string digest_;
    unsent_updates sends_nothing_{0};
    mesh mesh_;
    tcp::listener listener_;
    rendezvous_server server_;
    rendezvous_client client_;

    std::map<std::uint16_t, known_member> members_;
    std::map<std::uint16_t, link_figures> links_;
    std::map<std::uint16_t, std::uint32_t> tried_;  // rounds done then, and one
    secret_key secret_;
    std::deque<group_settled> settled_;  // not yet told
    bool busy_ = false;                  // with a group, or with what it led to
    gate called_;                        // a group is under way
    gate ending_;                        // no further round is wanted
};

}  // namespace papilio::example
