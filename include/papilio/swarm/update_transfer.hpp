#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/swarm/update_log.hpp>
#include <papilio/swarm/update_messages.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/transport/detail/request.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct update_options {
    std::uint64_t max_bytes = std::uint64_t{256} << 20;  ///< of all updates together
    std::size_t window_bytes = std::size_t{4} << 20;     ///< bytes in flight, about
    duration stall_timeout = std::chrono::seconds(20);   ///< without progress
    duration timeout = std::chrono::minutes(30);         ///< for the whole transfer
};
static_assert(std::is_trivially_destructible_v<update_options>);

/// Sends `peer` updates from `log` on request, until the link to it is gone: see `serve_state`.
/// `log` must outlive the task, and may change meanwhile.
template <transport Net>
task<> serve_updates(Net& net, int peer, const update_log& log, donor_options o = {});

/// Fetches from `donor`, which must run `serve_updates`, what leads on from the state after `round`
/// rounds: one update for each round, oldest first, at most 64, and no more than
/// `update_options::max_bytes` together, which is the most that is allocated. A checksum finds
/// damage, but not a donor that lies: compare the digest of the state that they lead to. Throws
/// `errc::refused` when the donor does not know what leads on from there, or that is too large;
/// `errc::mismatch`, `errc::bad_message`, `errc::timed_out`, and the error of a broken link.
template <transport Net>
task<std::vector<std::vector<std::byte>>> fetch_updates(Net& net, int donor, std::uint32_t round,
                                                        update_options o = {});

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

template <transport Net>
task<> send_updates(Net& net, int peer, update_request r, std::vector<shared_update> updates,
                    bulk_watch& watch)
{
    const transfer_tags tags{control_service::updates, r.request};
    std::vector<bytes> spans(updates.size());
    std::vector<std::uint64_t> sizes(updates.size());
    for (std::size_t i = 0; i < updates.size(); ++i) {
        spans[i] = *updates[i];
        sizes[i] = updates[i]->size();
    }
    const span_plan plan(sizes);
    const auto offer = encode_update_offer(sizes);
    co_await net.send(peer, tags.offer(), offer);
    if (updates.empty() || plan.chunks() > bulk::max_chunks) co_return;
    const bool taken = co_await offer_taken<Net>(net, peer, tags);
    if (!taken) co_return;
    const span_transfer t{tags, plan, r.in_flight, r.after};
    co_await send_spans<Net>(net, peer, t, spans, watch);
    log(log_level::info, "updates sent", {"peer", "after", "rounds", "bytes"}, peer, r.after,
        updates.size(), plan.bytes());
}

template <transport Net>
task<> receive_updates(Net& net, int donor, update_request r,
                       std::vector<std::vector<std::byte>>& into, bulk_watch& watch)
{
    const transfer_tags tags{control_service::updates, r.request};
    const auto request = encode(r);
    co_await net.send(donor, request_tag(control_service::updates), request);
    std::array<std::byte, max_update_offer> buffer{};
    const auto size = co_await net.recv(donor, tags.offer(), buffer);
    const auto sizes = parse_update_offer(bytes(buffer).first(size), r.max_bytes);
    const span_plan plan(sizes);
    const bool any = !sizes.empty() && plan.chunks() <= bulk::max_chunks;
    if (!any)
        throw std::system_error(errc::refused, "peer " + std::to_string(donor) +
                                                   " does not have what followed round " +
                                                   std::to_string(r.after));
    co_await answer_offer<Net>(net, donor, tags, true);
    std::vector<mutable_bytes> spans;
    for (const auto bytes : sizes) into.emplace_back(static_cast<std::size_t>(bytes));
    for (auto& update : into) spans.push_back(update);
    const span_transfer t{tags, plan, r.in_flight, r.after};
    co_await receive_spans<Net>(net, donor, t, spans, watch);
}

template <transport Net>
task<std::vector<std::vector<std::byte>>> fetch_updates_from(Net& net, int donor,
                                                             std::uint32_t round, update_options o)
{
    loop& on = co_await this_loop{};
    const auto begun = on.now();
    const auto request =
        request_number(begun.time_since_epoch().count(), donor, control_service::updates);
    const update_request r{.request = request,
                           .after = round,
                           .in_flight = span_plan::in_flight_for(o.window_bytes),
                           .max_bytes = o.max_bytes};
    request_scope<Net> scope(net, control_service::updates, request);
    std::vector<std::vector<std::byte>> updates;
    bulk_watch watch;
    task<> work = receive_updates<Net>(net, donor, r, updates, watch);
    co_await watched(std::move(work), watch, o.stall_timeout, later(begun, o.timeout));
    scope.succeed();
    log(log_level::info, "updates fetched", {"peer", "after", "rounds", "took"}, donor, round,
        updates.size(), on.now() - begun);
    co_return updates;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

template <transport Net>
task<> serve_updates(Net& net, int peer, const update_log& log, donor_options o)
{
    const auto answer = [&](detail::update_request r, detail::bulk_watch& watch) {
        return detail::send_updates<Net>(net, peer, r, log.after(r.after, r.max_bytes), watch);
    };
    task<> served =
        detail::serve_requests(net, peer, control_service::updates, detail::parse_update_request,
                               answer, o.stall_timeout, o.timeout);
    co_await std::move(served);
}

template <transport Net>
task<std::vector<std::vector<std::byte>>> fetch_updates(Net& net, int donor, std::uint32_t round,
                                                        update_options o)
{
    return detail::fetch_updates_from<Net>(net, donor, round, o);
}

}  // namespace papilio
