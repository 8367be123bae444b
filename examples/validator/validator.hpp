#pragma once

#include "host.hpp"
#include "inbox.hpp"
#include "options.hpp"
#include "summary.hpp"
#include "table.hpp"

#include <member/journal.hpp>
#include <member/network.hpp>
#include <trainer/trainer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

namespace papilio::example {

/// Hosts a run, evaluates the shared model after each round, and scores the miners. Evaluation has
/// the calling thread; the network's never waits for it.
class validator {
public:
    /// Loads model and text, and listens. Throws a `problem` that says what to change.
    explicit validator(const validator_options& o);
    ~validator();

    /// Returns in good order when the run ends or `stop` is requested; true unless the run did not
    /// come to what was demanded.
    bool run(std::stop_token stop);

private:
    using clock = std::chrono::steady_clock;

    host_options hosting() const;
    void load();
    void open();
    void take_in(const observation& o);
    void show();
    void show_notes();
    void invite();
    double evaluate(const state_snapshot& s);
    bool conclude();
    double seconds() const;

    validator_options options_;
    trainer trainer_;
    shared_state state_;
    std::string digest_;
    journal scores_;
    screen screen_;
    std::optional<summary> so_far_;
    double held_out_loss_ = 0;
    double entropy_ = 0;
    clock::time_point begun_ = clock::now();
    tcp::endpoint address_;
    tcp::endpoint mesh_address_;

    inbox<observation> seen_;
    inbox<std::string> notes_;
    network network_;
    std::unique_ptr<host> host_;  // belongs to the loop
};

}  // namespace papilio::example
