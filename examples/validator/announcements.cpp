// What a validator tells people while it runs.

#include "validator.hpp"

#include <trainer/file.hpp>

#include <papilio/session/endpoint_text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace papilio::example {

/// Shows the address at which miners join, and writes it to --address-file.
void validator::show_address()
{
    const bool anywhere = listens_anywhere(address_.host);
    const std::string port = std::to_string(address_.port);
    const std::string local = anywhere ? "127.0.0.1:" + port : tcp::to_string(address_);
    if (!options_.address_file.empty()) write_atomically(options_.address_file, local + "\n");
    view_.note(fmt::format("miners join with --rendezvous {} --run {}",
                           anywhere ? "HOST:" + port : local, options_.run.name));
    if (anywhere || listens_anywhere(mesh_address_.host))
        view_.note(fmt::format(
            "HOST is the address of this machine; ports {} and {} must be open to miners",
            address_.port, mesh_address_.port));
    view_.note(fmt::format("a round needs at least {} miners", options_.min_group));
}

/// After a restart miners may be further than the checkpoint.
void validator::show_resumed()
{
    const auto& settled = fallen_from_ ? fallen_from_ : journal_.last();
    const bool behind = settled && settled->round > state_->round;
    if (behind && options_.fall_back)
        view_.note(fmt::format("goes on from round {}, though round {} was settled", state_->round,
                               settled->round));
    else if (behind)
        view_.note(fmt::format(
            "round {} was settled, and the checkpoint is of round {}: waiting for a miner that "
            "holds the state, digest {:.12}; to go on from the checkpoint instead, start again "
            "with --fall-back",
            settled->round, state_->round, settled->digest));
}

/// From the thread that listens for signals. The miners are told once how the run ends.
void validator::end(run_ending how)
{
    const auto ending = background_.call([&] {
        host_->end(how);
        return host_->ending();
    });
    if (ending == run_ending::over)
        say(log_level::info,
            fmt::format("ending the run for all after the current round{}; one more signal ends "
                        "this validator at once",
                        kept_ ? "" : ", which only a --checkpoint would let go on later"));
    else if (how == run_ending::paused)
        say(log_level::info,
            fmt::format("pausing after the current round: the miners wait for this validator to "
                        "come back (--resume); to end the run for them, too, use kill -USR1 {}; "
                        "any other signal ends this validator at once",
                        ::getpid()));
    else
        say(log_level::warning,
            "the miners have been told already that the run pauses: to end it for them, start "
            "this validator again, and end that one by kill -USR1");
}

/// From any thread.
void validator::say(log_level level, std::string line)
{
    notes_.put({level, std::move(line)}, [](run_note&) {});
}

void validator::show_notes()
{
    for (auto note = notes_.take(clock::duration{}); note; note = notes_.take(clock::duration{}))
        view_.print(note->text, note->level);
}

void validator::show()
{
    const run_snapshot now = background_.call([this] { return host_->snapshot(); });
    run_metrics h{last_evaluation_, entropy_, seconds(), -1};
    if (options_.minutes > 0) h.seconds_left = std::max(0.0, options_.minutes * 60 - h.seconds);
    if (options_.rounds > 0 && so_far_->rounds() > 0 && options_.rounds > now.round)
        h.seconds_left = h.seconds / so_far_->rounds() * (options_.rounds - now.round);
    view_.show(now, *so_far_, h);
}

}  // namespace papilio::example
