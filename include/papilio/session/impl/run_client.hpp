#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/keep_result.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/resources.hpp>
#include <papilio/session/impl/join_problems.hpp>
#include <papilio/session/run_client.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// The address that others dial, if it is known before this member listens.
inline wire::endpoint fixed_address(const run_client_options& o)
{
    if (!o.announce.host.empty()) return {o.announce.host, o.announce.port};
    if (o.mesh.listen.host.empty() || o.mesh.listen.port == 0) return {};
    return {listens_anywhere(o.mesh.listen.host) ? "" : o.mesh.listen.host, o.mesh.listen.port};
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL run_client::run_client(background_loop& on, const run_client_options& o,
                                    std::stop_token stop, std::stop_token abandon)
    : background_(on),
      options_(o),
      forward_(std::move(stop), forward_stop{ending_}),
      abandon_(std::move(abandon)),
      forward_abandon_(abandon_, forward_stop{ending_})
{
    for (const auto n : options_.state_sizes) options_.mesh.kept_means += n * sizeof(float);
    try {
        background_.wait(join(), ending_.get_token());
    } catch (const std::system_error& failure) {
        background_.call([this] { network_.reset(), client_.reset(); });
        detail::explain_join(failure, options_);
    }
}

PAPILIO_DECL run_client::~run_client()
{
    ending_.request_stop();
    if (news_.valid()) news_.wait();
    background_.call([this] { network_.reset(), client_.reset(); });
}

PAPILIO_DECL task<> run_client::join()
{
    auto& loop = background_.loop();
    task<tcp::channel> dialled = tcp::dial(loop, options_.rendezvous, options_.attempt);
    auto channel = co_await std::move(dialled);
    client_ = std::make_unique<rendezvous_client>(loop, any_channel(std::move(channel)));
    wire::join request;
    request.run = options_.mesh.run;
    request.name = options_.name;
    request.at = detail::fixed_address(options_);
    request.parameters = options_.parameters;
    request.configuration = options_.configuration;
    request.identity = options_.identity;
    request.settings = options_.settings;
    joined_ = co_await client_->join(std::move(request));

    network_ = std::make_unique<member_network>(loop, joined_.id, options_.mesh);
    auto address = network_->announced();
    if (!options_.announce.host.empty()) address = {options_.announce.host, options_.announce.port};
    if (address.port != 0) {
        co_await client_->announce(std::move(address));
    }
    co_await reach_host();
}

/// Connects to the host's second port, at which it takes part as member 0, if it does.
PAPILIO_DECL task<> run_client::reach_host()
{
    if (joined_.host.port == 0) co_return;
    const std::string where = tcp::to_string({joined_.host.host, joined_.host.port});
    try {
        wire::member_endpoint host{0, joined_.host};
        co_await network_->reach(std::move(host), options_.attempt);
    } catch (const std::system_error& failure) {
        if (detail::lacks_resources(failure.code())) throw;
        throw problem(failure.code(), "the rendezvous takes this " + options_.member_called +
                                          ", but the " + options_.host_called + "'s second port, " +
                                          where + ", cannot be reached (" +
                                          detail::failed_connection(failure, where) +
                                          "): open that port as well");
    }
}

PAPILIO_DECL void run_client::publish(shared_state latest, std::vector<std::byte> mean)
{
    background_.call([&] { network_->publish(std::move(latest), std::move(mean)); });
}

PAPILIO_DECL void run_client::report_state_fetching(std::uint32_t round)
{
    background_.wait(client_->report_state_fetching(round), ending_.get_token());
}

PAPILIO_DECL void run_client::report_state_held(std::uint32_t round, const std::string& digest)
{
    wire::state_held h{round, digest};
    background_.wait(client_->report_state_held(std::move(h)), ending_.get_token());
    listen();
}

PAPILIO_DECL task<> run_client::state_answered(duration limit)
{
    task<> answer = client_->state_answered();
    co_await timeout(std::move(answer), later(background_.loop().now(), limit));
}

PAPILIO_DECL bool run_client::await_state_known(duration limit)
{
    try {
        background_.wait(state_answered(limit), ending_.get_token());
    } catch (const std::system_error& failure) {
        if (failure.code() == errc::timed_out && !has_news()) return false;
    }
    if (!client_->holds_state_of_run()) news_.wait();  // which say so, or why there is no answer
    return true;
}

PAPILIO_DECL void run_client::listen()
{
    if (!news_.valid()) news_ = background_.start(client_->await_group(), ending_.get_token());
}

PAPILIO_DECL bool run_client::has_news() const
{
    return news_.valid() && news_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

PAPILIO_DECL std::uint32_t run_client::closing_in_ms() const
{
    return client_->closing_in_ms();
}

PAPILIO_DECL void run_client::report_round_ready(wire::round_ready how)
{
    background_.wait(client_->report_round_ready(std::move(how)), ending_.get_token());
}

PAPILIO_DECL bool run_client::wait_for_group(duration limit)
{
    listen();
    return news_.wait_for(limit) == std::future_status::ready;
}

PAPILIO_DECL std::variant<wire::group, wire::state_outdated> run_client::await_group()
{
    listen();
    return std::exchange(news_, {}).get();
}

/// Not cancelled when a stop is requested: leaving would fail the round for the whole group.
PAPILIO_DECL average_result run_client::average_in(wire::group group, const averaging_call& call,
                                                   std::size_t count)
{
    return background_.wait(averaged(std::move(group), call, count), abandon_);
}

PAPILIO_DECL task<average_result> run_client::averaged(wire::group group,
                                                       const averaging_call& call,
                                                       std::size_t count)
{
    std::optional<average_result> result;
    task<average_result> averaging = network_->average_in(std::move(group), call, count);
    co_await when_any(detail::keep_result<average_result>(std::move(averaging), result),
                      give_up_gone());
    co_return std::move(*result);
}

/// Never ends. Where the run is lost, the group still has its result.
PAPILIO_DECL task<> run_client::give_up_gone()
{
    try {
        for (;;) {
            task<std::vector<std::uint16_t>> next = client_->members_gone();
            const auto gone = co_await std::move(next);
            for (const auto id : gone) network_->give_up(id);
        }
    } catch (const std::system_error&) {
        // Nobody tells any longer.
    }
    gate never;
    co_await never.opened();
}

PAPILIO_DECL wire::round_outcome run_client::report_round(wire::round_report how)
{
    auto outcome = background_.wait(client_->report_round(std::move(how)), abandon_);
    listen();
    return outcome;
}

/// What `fetching` gives; throws once the run is lost.
template <class T>
task<T> run_client::unless_lost(task<T> fetching)
{
    std::optional<T> fetched;
    co_await when_any(detail::keep_result<T>(std::move(fetching), fetched), client_->lost(),
                      give_up_gone());
    co_return std::move(*fetched);
}

template <class T>
T run_client::fetched(task<T> fetching)
{
    return background_.wait(unless_lost<T>(std::move(fetching)), ending_.get_token());
}

PAPILIO_DECL state_snapshot run_client::fetch(wire::member_endpoint donor, std::uint32_t round)
{
    return fetched(network_->fetch(std::move(donor), round, options_.state_sizes));
}

PAPILIO_DECL void run_client::check()
{
    background_.call([this] { client_->check(); });
}

PAPILIO_DECL std::vector<std::vector<std::byte>> run_client::fetch_means(
    wire::member_endpoint donor, std::uint32_t round)
{
    return fetched(network_->fetch_means(std::move(donor), round));
}

/// However long the first part has taken, half of the limit is left for the links.
PAPILIO_DECL task<> run_client::disconnect(duration limit, duration stay)
{
    const auto begun = background_.loop().now();
    const auto told = later(begun, std::min<duration>(limit, std::chrono::seconds(5)));
    task<> left = client_->leave(stay);
    co_await timeout(std::move(left), later(told, stay));
    const auto last = std::max(later(begun, limit), later(background_.loop().now(), limit / 2));
    task<> closed = network_->close();
    co_await timeout(std::move(closed), last);
}

PAPILIO_DECL void run_client::leave(duration limit, duration stay)
{
    ending_.request_stop();
    if (news_.valid()) news_.wait();
    try {
        // Whoever abandons the run does not stay.
        background_.wait(disconnect(limit, stay), stay > duration{} ? abandon_ : std::stop_token{});
    } catch (const std::system_error&) {
        // The rendezvous notices the broken link.
    }
}

}  // namespace papilio
