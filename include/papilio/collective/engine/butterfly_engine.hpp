#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/contribution_sender.hpp>
#include <papilio/collective/engine/reducer.hpp>
#include <papilio/collective/engine/slot_gate.hpp>
#include <papilio/collective/engine/stage_progress.hpp>
#include <papilio/collective/setup/call_plan.hpp>

#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The mixed-radix butterfly. In each stage a peer sends every partner the parts that the partner's
/// block owns, and reduces the contributions that it receives for its own block. After the last
/// stage each peer owns one reduced part, whose encoded bytes go back through the same stages and
/// are forwarded as they came. In a single stage every peer sends each owner its contribution, and
/// the owner sends the result to all: a lossy codec rounds twice then, and once more for each
/// further stage.
///
/// Parts are cut into chunks, and chunks move in slots. A slot between two partners is a
/// ping-pong: contribution out, result back, next chunk. So the result is the credit for the next
/// contribution, and at most `slots` messages are under way between two peers in one direction,
/// however early or late either of them is; fewer where a `slot_gate` says so. If only one of the
/// two carries data, the other is an empty message, left out if no later chunk needs the credit.
class butterfly_engine {
public:
    butterfly_engine(call_run& call, const call_plan& plan, phases what, const call_data& data,
                     thread_pool* pool)
        : io_(call.io()),
          plan_(plan),
          progress_(plan, call.weights(), what, data, io_.me(), call.held()),
          reducer_(progress_, io_, call.weights(), call.results(), call.status(), pool),
          sender_(progress_, io_, call.weights(), call.results(), pool)
    {
    }
    butterfly_engine(const butterfly_engine&) = delete;
    butterfly_engine& operator=(const butterfly_engine&) = delete;

    /// Moves the data between members. The output is complete when it finishes.
    task<> move()
    {
        std::vector<task<>> work;
        for (int k = 0; k < progress_.stages(); ++k) reducer_.serve_all(k, gate_, work);
        for (int k = 0; k < progress_.stages(); ++k) sender_.contribute_all(k, gate_, work);
        work.push_back(reducer_.begin());
        work.push_back(reducer_.watch_part());
        co_await open_slots();
        co_await when_all(std::move(work));
    }

    /// Sends this peer's part to the observers. One that fails is left unserved.
    task<> serve_observers()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < io_.size(); ++peer)
            if (peer != io_.me() && !votes(io_.of(peer)))
                work.push_back(reducer_.serve_observer(peer, gate_));
        co_await when_all(std::move(work));
    }

private:
    /// A peer that awaits no results gets no answer that could be late.
    task<> open_slots()
    {
        loop& on = co_await this_loop{};
        const bool fewer = plan_.slots_low_latency < plan_.slots && sender_.has_owners();
        const bool asks = fewer || (progress_.gathers() && progress_.messages().verbatim());
        const bool low_latency = asks && io_.all_have_low_latency();
        progress_.sum_results(low_latency);
        if (fewer && low_latency)
            gate_.open(on, plan_.slots_low_latency);
        else
            gate_.open_wide();
    }

    peer_io& io_;
    const call_plan& plan_;
    stage_progress progress_;
    reducer reducer_;
    contribution_sender sender_;
    slot_gate gate_;
};

}  // namespace papilio::detail
