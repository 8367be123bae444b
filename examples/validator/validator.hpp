#pragma once

#include "evaluation_budget.hpp"
#include "inbox.hpp"
#include "options.hpp"
#include "run_host.hpp"
#include "summary.hpp"
#include "terminal_view.hpp"

#include <member/jsonl_log.hpp>
#include <member/outage.hpp>
#include <member/signals.hpp>
#include <trainer/training.hpp>

#include <papilio/async/asio_background_loop.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace papilio::example {

/// Hosts a run, evaluates the shared model after rounds, and scores the miners. Evaluates on
/// the calling thread; the background loop never waits for it.
class validator {
public:
    /// Makes the trainer, or loads it, and listens. Throws a `problem` that says what to change.
    validator(const validator_options& o, papilio::model& of);
    ~validator();

    /// Returns in good order when the run ends or a stop is requested: by SIGUSR1 or --minutes it
    /// ends. By any other signal it pauses where there is a --checkpoint to go on from, which
    /// SIGUSR1 turns into an end until the miners are told; else it ends, too. False: `check` is
    /// set and the run has a shortcoming.
    bool run(const signals& asked);

    /// Whether the run was only paused: its miners wait.
    bool paused() const { return paused_; }

private:
    using clock = std::chrono::steady_clock;

    struct run_note {
        log_level level;
        std::string text;
    };

    run_host_options host_part() const;
    void load();
    void fall_back();
    void open();
    void record(const observation& o);
    void show();
    void show_resumed();
    void end(run_ending how);
    void say(log_level level, std::string line);
    void show_notes();
    void show_address();
    void evaluate();
    std::optional<double> try_to_evaluate();
    void save();
    bool conclude();
    double seconds() const;

    validator_options options_;
    std::unique_ptr<checkpoint_folder> kept_;  // null: no checkpoints are wanted
    training training_;
    shared_state state_;
    std::string digest_;
    terminal_view view_;
    jsonl_log scores_;
    journal journal_;
    std::optional<summary> so_far_;
    std::optional<settled_round> fallen_from_;  // by --fall-back
    std::string record_;                        // of the run before --resume; empty: none
    outage unsaved_;
    outage unevaluated_;
    evaluation_budget budget_;
    evaluation last_evaluation_;
    double entropy_ = 0;
    clock::time_point begun_ = clock::now();
    tcp::endpoint address_;
    tcp::endpoint mesh_address_;
    bool paused_ = false;

    inbox<observation> seen_;
    inbox<run_note> notes_;
    background_loop background_;
    std::unique_ptr<run_host> host_;  // belongs to the background loop
};

}  // namespace papilio::example
