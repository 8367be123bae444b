#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/short_list.hpp>
#include <papilio/swarm/state_messages.hpp>
#include <papilio/swarm/state_snapshot.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/transport/detail/request.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/request.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct state_options {
    std::uint32_t min_round = 0;                        ///< an older state is refused
    std::size_t window_bytes = std::size_t{4} << 20;    ///< bytes in flight, about
    duration stall_timeout = std::chrono::seconds(20);  ///< without progress
    duration timeout = std::chrono::minutes(30);        ///< for the whole transfer from one donor
};
static_assert(std::is_trivially_destructible_v<state_options>);

struct donor_options {
    duration stall_timeout = std::chrono::seconds(20);  ///< without progress
    duration timeout = std::chrono::minutes(30);        ///< for the whole transfer
};
static_assert(std::is_trivially_destructible_v<donor_options>);

/// Sends `peer` the state on request, until the link to it is gone. A request gets the state that
/// `latest` points to when the request arrives, even if `latest` is replaced during the transfer;
/// null means that there is no state yet. A new request replaces one that is being answered.
/// `latest` must outlive the task. Throws `errc::bad_message` for a malformed request.
template <transport Net>
task<> serve_state(Net& net, int peer, const shared_state& latest, donor_options o = {});

/// Fetches the state from `donor`, which must run `serve_state`. `sizes` are the lengths of the
/// spans that this peer expects: they alone decide how much memory is allocated. Checksums of the
/// chunks and of the whole find damage, but not a donor that lies: compare the digest of the result
/// with the one that the run agreed on. Throws `errc::mismatch` when the donor's state has other
/// sizes or bytes were damaged, `errc::refused` when it has no state of `min_round` or later,
/// `errc::timed_out`, and the error of a broken link. The list may go before the task is awaited.
template <transport Net>
task<state_snapshot> fetch_state(Net& net, int donor, short_list<std::size_t> sizes,
                                 state_options o = {});

/// The same from the first of `donors` that can give it. When none can, throws the code of the last
/// one's failure and a sentence that names all failures.
template <transport Net>
task<state_snapshot> fetch_state(Net& net, short_list<int> donors, short_list<std::size_t> sizes,
                                 state_options o = {});

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The chunks of spans of these many elements.
inline span_plan plan_for(const std::vector<std::size_t>& elements)
{
    std::vector<std::uint64_t> sizes;
    for (const auto n : elements) sizes.push_back(std::uint64_t{n} * sizeof(float));
    return span_plan(std::move(sizes));
}

inline state_offer offer_for(const state_request& r, const shared_state& state)
{
    state_offer offer;
    offer.has = state && state->round >= r.min_round;
    if (state) offer.round = state->round;
    if (offer.has)
        for (const auto& span : state->spans) offer.sizes.push_back(span.size());
    return offer;
}

template <transport Net>
task<> send_state(Net& net, int peer, state_request r, shared_state state, bulk_watch& watch)
{
    const transfer_tags tags{control_service::state, r.request};
    const state_offer offer = offer_for(r, state);
    const span_plan plan = plan_for(offer.sizes);
    PAPILIO_CHECK(offer.sizes.size() <= span_plan::max_spans && plan.chunks() <= bulk::max_chunks,
                  "a state has at most 64 spans and 2^36 elements");
    const auto message = encode(offer);
    co_await net.send(peer, tags.offer(), message);
    if (!offer.has) {
        log(log_level::warning, "state refused", {"peer", "round", "min_round"}, peer, offer.round,
            r.min_round);
        co_return;
    }
    const bool taken = co_await offer_taken<Net>(net, peer, tags);
    if (!taken) co_return;
    log(log_level::debug, "transfer begun", {"peer", "round"}, peer, offer.round);
    std::vector<bytes> spans;
    for (const auto& span : state->spans) spans.push_back(std::as_bytes(std::span(span)));
    const span_transfer t{tags, plan, r.in_flight, offer.round};
    co_await send_spans<Net>(net, peer, t, spans, watch);
    log(log_level::info, "state sent", {"peer", "round", "bytes"}, peer, offer.round, plan.bytes());
}

/// Returns the round of the donor's state, which has the expected sizes.
template <transport Net>
task<std::uint32_t> accept_offer(Net& net, int donor, state_request r,
                                 const std::vector<std::size_t>& sizes)
{
    const transfer_tags tags{control_service::state, r.request};
    const auto request = encode(r);
    co_await net.send(donor, request_tag(control_service::state), request);
    std::array<std::byte, state_offer::max_size> buffer{};
    const auto size = co_await net.recv(donor, tags.offer(), buffer);
    const auto offer = parse_state_offer(bytes(buffer).first(size));
    if (!offer.has)
        throw std::system_error(errc::refused, "peer " + std::to_string(donor) +
                                                   " does not have the state of round " +
                                                   std::to_string(r.min_round) + " or a later one");
    auto why = size_mismatch(sizes, offer.sizes);
    if (why.empty() && offer.round < r.min_round)
        why = "the donor offers the state of round " + std::to_string(offer.round) +
              ", which is older than round " + std::to_string(r.min_round);
    co_await answer_offer<Net>(net, donor, tags, why.empty());
    if (!why.empty()) throw std::system_error(errc::mismatch, why);
    co_return offer.round;
}

template <transport Net>
task<> receive_state(Net& net, int donor, state_request r, const std::vector<std::size_t>& sizes,
                     state_snapshot& into, bulk_watch& watch)
{
    into.round = co_await accept_offer<Net>(net, donor, r, sizes);
    const span_plan plan = plan_for(sizes);
    std::vector<mutable_bytes> spans;
    for (const auto elements : sizes) into.spans.emplace_back(elements);
    for (auto& span : into.spans) spans.push_back(std::as_writable_bytes(std::span(span)));
    const span_transfer t{{control_service::state, r.request}, plan, r.in_flight, into.round};
    co_await receive_spans<Net>(net, donor, t, spans, watch);
}

inline void check_sizes(const std::vector<std::size_t>& sizes)
{
    if (sizes.size() > span_plan::max_spans)
        throw std::system_error(errc::bad_argument, "a state must have at most 64 spans, not " +
                                                        std::to_string(sizes.size()));
    if (plan_for(sizes).chunks() > bulk::max_chunks)
        throw std::system_error(errc::bad_argument, "a state must have at most 2^36 elements");
}

template <transport Net>
task<state_snapshot> fetch_from(Net& net, int donor, std::vector<std::size_t> sizes,
                                state_options o)
{
    loop& on = co_await this_loop{};
    check_sizes(sizes);
    const auto now = on.now().time_since_epoch().count();
    const auto request = request_number(now, donor, control_service::state);
    const state_request r{.request = request,
                          .min_round = o.min_round,
                          .in_flight = span_plan::in_flight_for(o.window_bytes)};
    state_snapshot fetched;
    request_scope<Net> scope(net, control_service::state, request);
    bulk_watch watch;
    const auto begun = on.now();
    log(log_level::debug, "fetch begun", {"peer", "min_round"}, donor, o.min_round);
    task<> work = receive_state<Net>(net, donor, r, sizes, fetched, watch);
    try {
        co_await watched(std::move(work), watch, o.stall_timeout, later(begun, o.timeout));
    } catch (const std::system_error& failure) {
        log(log_level::warning, "fetch failed", {"peer", "why"}, donor, failure.what());
        throw;
    }
    scope.succeed();
    log(log_level::info, "state fetched", {"peer", "round", "bytes", "took"}, donor, fetched.round,
        plan_for(sizes).bytes(), on.now() - begun);
    co_return fetched;
}

template <transport Net>
task<state_snapshot> fetch_from_any(Net& net, std::vector<int> donors,
                                    std::vector<std::size_t> sizes, state_options o)
{
    std::error_code last = make_error_code(errc::refused);
    std::string failures = "no donor can give the state";
    for (const int donor : donors) {
        try {
            auto state = co_await fetch_from<Net>(net, donor, sizes, o);
            co_return state;
        } catch (const std::system_error& failure) {
            last = failure.code();
            failures += "; peer " + std::to_string(donor) + ": " + failure.what();
        }
    }
    throw std::system_error(last, failures);
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

template <transport Net>
task<> serve_state(Net& net, int peer, const shared_state& latest, donor_options o)
{
    const auto answer = [&](detail::state_request r, detail::bulk_watch& watch) {
        return detail::send_state<Net>(net, peer, r, latest, watch);
    };
    task<> served =
        detail::serve_requests(net, peer, control_service::state, detail::parse_state_request,
                               answer, o.stall_timeout, o.timeout);
    co_await std::move(served);
}

template <transport Net>
task<state_snapshot> fetch_state(Net& net, int donor, short_list<std::size_t> sizes,
                                 state_options o)
{
    return detail::fetch_from<Net>(net, donor, {sizes.begin(), sizes.end()}, o);
}

template <transport Net>
task<state_snapshot> fetch_state(Net& net, short_list<int> donors, short_list<std::size_t> sizes,
                                 state_options o)
{
    return detail::fetch_from_any<Net>(net, {donors.begin(), donors.end()},
                                       {sizes.begin(), sizes.end()}, o);
}

}  // namespace papilio
