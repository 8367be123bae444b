#pragma once

#include "join_retries.hpp"
#include "local_training.hpp"
#include "options.hpp"
#include "run_client.hpp"

#include <member/background_loop.hpp>
#include <member/state.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

namespace papilio::example {

/// Trains a model by DiLoCo: after every `inner_steps` steps takes a step of the outer optimiser,
/// by the mean of all members of a run, or alone.
class miner {
public:
    /// Builds the model, or loads it. Throws a `problem` that says what to change.
    explicit miner(const miner_options& o) : options_(o), training_(o) {}

    /// Returns in good order when the run ends or `stop` is requested, after saving a checkpoint.
    void run(std::stop_token stop);

    /// Whether the run has ended, or as many of its rounds as were wanted.
    bool over() const;

    /// The state that was agreed on last, and its digest.
    const state_snapshot& state() const { return *training_.state(); }
    const std::string& digest() const { return training_.digest(); }

private:
    using clock = std::chrono::steady_clock;
    enum class trained { enough, news, stopped };

    void run_alone(std::stop_token stop);
    void run_together(std::stop_token stop);
    void stay(run_client& run, std::stop_token stop);
    bool may_pass(const std::system_error& failure, bool joined);
    void wait_to_join(const std::system_error& failure, bool joined, std::stop_token stop);

    void take_part(run_client& run, std::stop_token stop);
    trained train(run_client* run, std::stop_token stop);
    bool must_be_ready(run_client& run);
    void synchronise(run_client& run);
    bool average(run_client& run, const wire::group& group);
    void check_fallback(std::uint32_t to);
    void catch_up(run_client& run, wire::run_status now);
    bool holds(const wire::run_status& now) const;
    void fetch(run_client& run, wire::run_status now);
    shared_state fetch_any(run_client& run, const wire::run_status& now);
    wire::run_status ask_status(run_client& run);

    miner_options options_;
    local_training training_;
    clock::time_point closing_{};  // when the others go on without this miner; 0: not known
    int setbacks_ = 0;             // in a row, while the rendezvous was there
    join_retries retries_;
    bool was_in_run_ = false;
    bool ended_ = false;          // by the host
    background_loop background_;  // last: its tasks use nothing of the above
};

}  // namespace papilio::example
