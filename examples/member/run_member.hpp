#pragma once

#include "join_retries.hpp"
#include "run_client.hpp"
#include "run_work.hpp"

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/diloco/outer_optimizer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>

namespace papilio::example {

struct run_member_options {
    run_client_options client;
    round_codec codec{};
    outer_options outer;
    std::uint32_t rounds = 0;  ///< of the run, after which this member ends; 0: no limit
    double patience = 90;      ///< seconds to wait for a rendezvous that is away, or full
};

/// A member's way through a run: joins, fetches the state, works, averages, takes the step of the
/// outer optimiser, and comes back as a new member when it has lost the run by a fault of others or
/// of the network.
class run_member {
public:
    run_member(run_work& work, const run_member_options& o) : work_(work), options_(o) {}

    /// Returns in good order when the run ends or `stop` is requested. Throws what no further try
    /// can mend, and `gave_up` when it has waited in vain.
    void run(std::stop_token stop);

    /// Whether the run has ended, or as many of its rounds as were wanted.
    bool over() const;

private:
    using clock = std::chrono::steady_clock;
    enum class worked { enough, news, stopped };

    /// A result that this member has reported, before it knows whether that is the run's.
    struct reported_state {
        shared_state state;
        std::string digest;
        std::size_t contributors = 0;
    };

    /// A state, and the member that has given it; null: nobody has.
    struct given_state {
        shared_state state;
        std::uint16_t donor = 0;
    };

    void stay(run_client& run, std::stop_token stop);
    bool may_pass(const std::system_error& failure, bool joined);
    void wait_to_join(const std::system_error& failure, bool joined, std::stop_token stop);

    void take_part(run_client& run, std::stop_token stop);
    worked work(run_client& run, std::stop_token stop);
    bool must_be_ready(run_client& run);
    void synchronise(run_client& run);
    bool average(run_client& run, const wire::group& group, std::span<const float> update);
    void adopt_reported(const average_result* how);
    bool is_reported(const wire::run_status& now) const;
    void check_fallback(std::uint32_t to);
    void enter(run_client& run);
    void tell_state(run_client& run);
    void catch_up(run_client& run, wire::run_status now);
    bool holds(const wire::run_status& now) const;
    void fetch(run_client& run, wire::run_status now);
    given_state fetch_any(run_client& run, const wire::run_status& now);
    given_state replay(run_client& run, const wire::run_status& now);
    wire::run_status ask_status(run_client& run);

    run_work& work_;
    run_member_options options_;
    std::optional<reported_state> reported_;
    clock::time_point closing_{};  // when the others go on without this member; 0: not known
    int setbacks_ = 0;             // in a row, while the rendezvous was there
    join_retries retries_;
    bool was_in_run_ = false;     // the state was the run's once
    bool ended_ = false;          // by the host
    background_loop background_;  // last: its tasks use nothing of the above
};

}  // namespace papilio::example
