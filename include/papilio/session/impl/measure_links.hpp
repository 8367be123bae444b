#pragma once

#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/random_secret.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/probe/tournament.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/session/impl/call_group.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

// Everybody measures its link to everybody else, by probe/, and nobody two at a time.
namespace papilio::inline PAPILIO_MODE::detail {

class link_measurement {
public:
    link_measurement(any_transport net, const probe_options& o, time_point deadline,
                     std::uint32_t number)
        : net_(std::move(net)), options_(o), deadline_(deadline), number_(number)
    {
    }

    task<std::vector<measured_link>> run()
    {
        const int peers = net_.size(), me = net_.rank();
        for (int round = 0; round < tournament_rounds(peers); ++round) {
            const int other = opponent(me, round, peers);
            for (const bool lower_first : {true, false}) {
                task<> turn = other == me                   ? together()
                              : (me < other) == lower_first ? measure_in_turn(other)
                                                            : serve(other);
                co_await std::move(turn);
            }
        }
        if (failed_) std::rethrow_exception(failed_);
        std::ranges::sort(found_, {}, &measured_link::rank);
        co_return found_;
    }

private:
    task<> together()
    {
        call_options o;
        const auto time = co_await now();
        o.timeout = std::max<duration>(deadline_ - time, std::chrono::milliseconds(1));
        o.call = number_;  // one after another
        task<report> barrier = run_barrier(net_, o);
        co_await std::move(barrier);
    }

    /// A measurement that fails must not keep the others waiting.
    task<> measure_in_turn(int other)
    {
        task<> measuring = measure(other);
        try {
            co_await timeout(std::move(measuring), deadline_);
        } catch (const std::system_error&) {
            failed_ = std::current_exception();
        }
        task<> barrier = together();
        co_await std::move(barrier);
    }

    task<> measure(int other)
    {
        const auto secret = random_secret();
        const round_trip_options trips{
            .secret = secret, .count = options_.count, .pause = std::chrono::milliseconds(1)};
        task<papilio::round_trip> timed = measure_round_trip(net_, other, trips);
        const auto there = co_await std::move(timed);
        const bandwidth_options rates{.secret = secret, .bytes = options_.bytes};
        task<bandwidth> moved = measure_bandwidth(net_, other, rates);
        const auto rate = co_await std::move(moved);
        found_.push_back(
            {other, there.p50 / 2, rate.up_bytes_per_second, rate.down_bytes_per_second});
    }

    /// Answers until the other one is through, as the barrier shows.
    task<> serve(int other)
    {
        task<> barrier = together();
        task<> echo = serve_echo(net_, other);
        task<> bytes =
            serve_bandwidth(net_, other, bandwidth_limits{.bytes = std::uint64_t{1} << 30});
        co_await when_any(std::move(barrier), std::move(echo), std::move(bytes));
    }

    any_transport net_;
    probe_options options_;
    time_point deadline_;
    std::uint32_t number_;
    std::vector<measured_link> found_;
    std::exception_ptr failed_;
};

inline task<std::vector<measured_link>> measure_links(call_group& group, probe_options o)
{
    const auto begin = co_await now();
    call_options call;
    call.timeout = o.timeout;
    call.call = group.number_for({});
    link_measurement measurement(group.transport(), o, later(begin, o.timeout), call.call);
    task<std::vector<measured_link>> running = measurement.run();
    task<std::vector<measured_link>> guarded =
        group.until_ended(call, open_calls::ends_by::dropping, std::move(running));
    const auto found = co_await std::move(guarded);
    const auto time = co_await now();
    double up = 0, down = 0, latency = 0;
    for (const auto& l : found) {
        up = std::max(up, l.up_bytes_per_second);
        down = std::max(down, l.down_bytes_per_second);
        latency = std::max(latency, std::chrono::duration<double>(l.latency).count());
    }
    group.history().note_call({up, 1}, {down, 1}, time.time_since_epoch());
    group.history().note_latency(latency, time.time_since_epoch());
    co_return found;
}

}  // namespace papilio::detail
