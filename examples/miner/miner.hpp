#pragma once

#include "options.hpp"
#include "participation.hpp"
#include "progress.hpp"

#include <member/journal.hpp>
#include <member/network.hpp>
#include <member/state.hpp>
#include <trainer/trainer.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace papilio::example {

/// Trains, and after every so many steps takes a step of the outer optimiser: with all members of
/// a run, over the network, or alone.
class miner {
public:
    /// Builds the model, or loads it. Throws a `problem` that says what to change.
    explicit miner(const miner_options& o);

    /// Returns in good order when the run ends or `stop` is requested, with a checkpoint kept.
    void run(std::stop_token stop);

    /// The state that was agreed on last, and its digest.
    const state_snapshot& state() const { return *state_; }
    const std::string& digest() const { return digest_; }

private:
    enum class trained { enough, news, stopped };

    void load();
    void run_alone(std::stop_token stop);
    void run_together(std::stop_token stop);
    participation_options to_participate() const;
    void stay(participation& run, std::stop_token stop);
    bool try_again(const std::system_error& failure, std::stop_token stop);
    bool await_place(const std::system_error& failure, std::stop_token stop);

    void take_part(participation& run, std::stop_token stop);
    trained train(participation* run, std::stop_token stop);
    bool enough(participation& run);
    void synchronise(participation& run);
    void go_back(std::uint32_t to);
    bool average(participation& run, const wire::group& group);
    void catch_up(participation& run, const wire::run_status& now);
    shared_state fetch_any(participation& run, const wire::run_status& now);

    void adopt(shared_state next, std::string digest);
    void note_step(const step_report& r);
    void note_round(const averaged* how, std::size_t members);
    void keep(bool last);
    void end();
    bool over() const;
    std::uint64_t steps_until_round() const;

    miner_options options_;
    trainer trainer_;
    shared_state state_;
    std::string digest_;
    std::vector<float> update_;  // this miner's pseudo-gradient
    unsent_updates unsent_{0};   // and what earlier ones have left
    progress progress_;
    journal metrics_;

    std::chrono::steady_clock::time_point hurry_{};  // when others go on without this miner
    std::uint64_t tokens_in_round_ = 0;
    std::uint64_t steps_in_round_ = 0;
    double last_loss_ = 0;
    int setbacks_ = 0;                                  // in a row
    int refusals_ = 0;                                  // for now, in a row
    std::chrono::steady_clock::time_point last_try_{};  // after such refusals
    bool was_in_run_ = false;
    bool ended_ = false;                                    // others have ended the run
    std::pair<std::uint32_t, std::uint64_t> kept_{~0u, 0};  // round and step of the checkpoint
    network network_;  // last: what it runs uses nothing of the above
};

}  // namespace papilio::example
