#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/probe/detail/measurement_log.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/request.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/request.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The time that a message takes to a peer and back.
struct round_trip {
    duration min{};
    duration p50{};
    duration p99{};
    duration jitter{};  ///< mean change from one message to the next
    int count = 0;
};

struct round_trip_options {
    secret_key secret;  ///< unknown to the peer, so that it cannot answer before it was asked
    int count = 16;
    duration pause = std::chrono::milliseconds(10);  ///< between an answer and the next question
    duration answer_timeout = std::chrono::seconds(5);
};
static_assert(std::is_trivially_destructible_v<round_trip_options>);

/// Measures the round-trip time to `peer`, which must run `serve_echo`: it sends a few small
/// messages with unpredictable content back, one after another. Throws `errc::timed_out` when an
/// answer is missing, `errc::mismatch` when it has other bytes, and the error of a broken link.
template <transport Net>
task<round_trip> measure_round_trip(Net& net, int peer, round_trip_options o);

/// Answers `peer`'s requests for an echo, one at a time, until the link to it fails. Throws
/// `errc::bad_message` for a malformed request, and the error of a link that breaks during an
/// answer.
template <transport Net>
task<> serve_echo(Net& net, int peer);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The statistics of round-trip times, which must be in the order of their measurement.
inline papilio::round_trip statistics_of(std::vector<duration> times)
{
    papilio::round_trip r;
    r.count = static_cast<int>(times.size());
    if (times.empty()) return r;
    for (std::size_t i = 1; i < times.size(); ++i)
        r.jitter += std::chrono::abs(times[i] - times[i - 1]);
    if (times.size() > 1) r.jitter /= static_cast<std::int64_t>(times.size()) - 1;
    std::ranges::sort(times);
    const auto at = [&](std::size_t percent) {
        return times[std::min(times.size() - 1, times.size() * percent / 100)];
    };
    r.min = times.front();
    r.p50 = at(50);
    r.p99 = at(99);
    return r;
}

/// A message to echo. The answer has the same bytes.
struct ping {
    std::uint32_t magic = 0x45504150;  // "PAPE"
    std::uint32_t request = 0;
    std::uint32_t index = 0;
    std::uint32_t zero = 0;
    std::uint64_t nonce = 0;
};

inline ping parse_ping(bytes from)
{
    const auto p = read_request<ping>(from, "the message is no request for an echo");
    if (p.zero != 0)
        throw bad_value(errc::bad_message, "the last word of a request for an echo", "0", p.zero);
    if (p.index > max_control_index)
        throw bad_value(errc::bad_message, "the index of a request for an echo",
                        "at most " + std::to_string(max_control_index), p.index);
    return p;
}

template <transport Net>
task<> ask_echo(Net& net, int peer, ping p)
{
    const auto question = encode(p);
    co_await net.send(peer, request_tag(control_service::echo), question);
    std::array<std::byte, sizeof(ping)> answer{};
    const auto size =
        co_await net.recv(peer, control_tag(control_service::echo, p.request, p.index), answer);
    if (size != answer.size() || answer != question)
        throw std::system_error(errc::mismatch, "the echo from peer " + std::to_string(peer) +
                                                    " has other bytes than its request");
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

template <transport Net>
task<round_trip> measure_round_trip(Net& net, int peer, round_trip_options o)
{
    detail::check_secret(o.secret);
    if (o.count < 1 || o.count > 10'000)
        throw detail::bad_value("round_trip_options::count", "1 to 10,000", o.count);
    loop& on = co_await this_loop{};
    const auto now = on.now().time_since_epoch().count();
    const auto request = detail::request_number(now, peer, control_service::echo);
    detail::request_scope<Net> scope(net, control_service::echo, request);
    detail::measurement_log progress(peer, control_service::echo);
    const keystream nonces(o.secret, hash(static_cast<std::uint64_t>(now), request));
    std::vector<std::byte> drawn(static_cast<std::size_t>(o.count) * 8);
    nonces.fill(0, drawn);

    std::vector<duration> times;
    for (int i = 0; i < o.count; ++i) {
        if (i > 0 && o.pause > duration{}) {
            co_await sleep_for(o.pause);
        }
        const auto asked = on.now();
        const auto at = drawn.data() + static_cast<std::size_t>(i) * 8;
        const detail::ping p{.request = request,
                             .index = static_cast<std::uint32_t>(i),
                             .nonce = load<std::uint64_t>(at)};
        task<> answered = detail::ask_echo<Net>(net, peer, p);
        try {
            co_await timeout(std::move(answered), asked + o.answer_timeout);
        } catch (const std::system_error& failure) {
            progress.failed(failure);
            throw;
        }
        times.push_back(on.now() - asked);
    }
    progress.finished();
    scope.succeed();
    const round_trip measured = detail::statistics_of(std::move(times));
    detail::log(log_level::debug, "round trip measured", {"peer", "count", "p50", "jitter"}, peer,
                measured.count, measured.p50, measured.jitter);
    co_return measured;
}

template <transport Net>
task<> serve_echo(Net& net, int peer)
{
    std::array<std::byte, sizeof(detail::ping)> question{};
    for (;;) {
        const auto size =
            co_await detail::next_request<Net>(net, peer, control_service::echo, question);
        if (!size) co_return;
        const auto p = detail::parse_request(peer, control_service::echo, detail::parse_ping,
                                             bytes(question).first(*size));
        const auto name = detail::control_tag(control_service::echo, p.request, p.index);
        co_await net.send(peer, name, question);
    }
}

}  // namespace papilio
