#pragma once

#include "journal.hpp"
#include "link_monitor.hpp"
#include "thresholds.hpp"

#include <member/averaging.hpp>
#include <member/state.hpp>

#include <papilio/async/offload.hpp>
#include <papilio/base/log.hpp>
#include <papilio/session/member_network.hpp>
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

/// What members are told when the host ends: that the run is over, or that it goes on later.
enum class run_ending { over, paused };

/// A member as the host sees it.
struct known_member {
    std::string name;
    wire::endpoint at;
    bool present = false;
    bool ready = false;
    wire::round_ready progress;  ///< its latest report of progress
    std::string left;            ///< why it left; empty while present
    bool dismissed = false;      ///< it left since the host has ended
};

/// The members and their links at one time.
struct run_snapshot {
    std::uint32_t round = 0;
    bool averaging = false;
    std::map<std::uint16_t, known_member> members;  ///< miners only
    std::map<std::uint16_t, measured_link> links;
};

/// An attempt at a round that has ended, as the host saw it.
struct observation {
    group_round_outcome outcome;
    shared_state state;          ///< after the round; null when it failed or this member missed it
    std::string digest;          ///< of that state
    report own_report;           ///< the observer's own report; empty when its call failed
    std::vector<double> shares;  ///< of the parts, by rank in the group; empty: equal
    std::string failure;         ///< why the call failed
    run_snapshot snapshot;
};

struct run_host_options {
    tcp::endpoint listen;
    tcp::endpoint advertise;  ///< empty host: members find out themselves; port 0: that of `mesh`
    member_network_options mesh;
    run_description run;
    rendezvous_options rendezvous;
    round_codec codec{};
    outer_options outer;
    std::size_t probe_bytes = std::size_t{8} << 20;
};

/// The network side of the validator: the rendezvous, member 0, which observes every round and
/// keeps the shared model, and the measurement of links between rounds. Belongs to the loop.
class run_host final : private rendezvous_watcher {
public:
    /// Calls `tell` on the loop with each attempt that has ended, and `note` with a line of text
    /// about what people may want to know, such as each miner that joins or leaves. `settled` gets
    /// each settled round before members learn of it. Throws a `problem` when it cannot listen.
    run_host(asio_loop& on, const run_host_options& o, shared_state first, std::string digest,
             journal& settled, std::function<void(observation)> tell,
             std::function<void(log_level, std::string)> note);
    ~run_host() override;

    /// The address at which miners join.
    tcp::endpoint address() const { return listener_.local(); }

    /// The address at which they exchange models with this member.
    tcp::endpoint mesh_address() const { return network_.address(); }

    /// Hosts the run until its end.
    task<> run();

    /// Ends after the current round. A pause turns into an end as long as members are not told of
    /// it; else the first call decides.
    void end(run_ending how);

    /// How it has ended.
    run_ending ending() const { return how_; }

    run_snapshot snapshot() const;

private:
    void saw(const membership_event& what) override;
    task<> take_part();
    task<> observe(wire::group group);
    task<> catch_up(wire::run_status now);
    task<shared_state> replay(wire::member_endpoint donor);
    task<bool> adopt(shared_state given);
    void tell_rounds(const average_result* how);
    task<> wait_for_end();
    task<> dismiss_all();
    void write_down(const group_round_outcome& settled);
    void write_down(const state_adopted& later);
    void write_down(settled_round s);
    void note_arrival(const member& m);
    void note_departure(const member_left& left);
    bool is_complete();
    bool is_current(const state_snapshot& s, const std::string& digest) const;

    asio_loop& loop_;
    run_host_options options_;
    journal& journal_;
    std::function<void(observation)> tell_;
    std::function<void(log_level, std::string)> note_;
    thread_pool pool_{1};

    shared_state state_;
    std::string digest_;
    update_residuals no_residuals_{0};
    member_network network_;
    tcp::listener listener_;
    rendezvous_server server_;
    rendezvous_client client_;
    link_monitor monitor_;

    std::map<std::uint16_t, known_member> members_;
    std::deque<group_round_outcome> outcomes_;  // not yet passed to `tell_`
    bool busy_ = false;                         // in a group, or fetching the state
    gate called_;                               // while a group is averaging
    gate ending_;                               // once no further round is wanted
    run_ending how_ = run_ending::over;
    std::optional<time_point> patient_until_;  // for the last state; empty: it is not missed yet
    bool dismissing_ = false;
    bool told_failure_ = false;  // of the journal, as long as it lasts
};

}  // namespace papilio::example
