#include "participation.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/text.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <string_view>
#include <utility>

namespace papilio::example {

namespace {

/// Why a place could not be reached, without the place.
std::string reason(const std::system_error& failure, const std::string& where)
{
    std::string text = printable(sentence(failure));
    for (const auto& said : {"cannot reach " + where + ": ", where + ": ",
                             "no connection with peer 0 at " + where + ": "})
        if (text.starts_with(said)) text.erase(0, said.size());
    return text;
}

[[noreturn]] void explain(const std::system_error& failure, const participation_options& o)
{
    if (dynamic_cast<const problem*>(&failure)) throw;
    const std::string where = tcp::to_string(o.rendezvous);
    const auto code = failure.code();
    const auto says = [&](const std::string& text) { throw problem(code, text); };
    if (code == errc::refused)
        says("the rendezvous at " + where +
             " does not take this miner: " + printable(sentence(failure)));
    if (code == std::errc::resource_unavailable_try_again)
        says("the rendezvous at " + where +
             " does not take this miner yet: " + printable(sentence(failure)));
    if (code == errc::bad_message || code == errc::too_large)
        says("what answers at " + where + " is no rendezvous of this version (" + code.message() +
             "): is this where the validator listens, and is it of the same version?");
    if (code == errc::timed_out || code == errc::disconnected || code == errc::silent)
        says("there is no rendezvous at " + where + " (" + reason(failure, where) +
             "): is the validator running, and is this its address?");
    throw;
}

/// Where others reach this miner, if that is known before it listens.
wire::endpoint place_beforehand(const participation_options& o)
{
    if (!o.announce.host.empty()) return {o.announce.host, o.announce.port};
    if (o.mesh.listen.host.empty() || o.mesh.listen.port == 0) return {};
    return {listens_anywhere(o.mesh.listen.host) ? "" : o.mesh.listen.host, o.mesh.listen.port};
}

}  // namespace

participation::participation(network& on, const participation_options& o, std::stop_token stop)
    : network_(on), options_(o), relay_(std::move(stop), relay{ending_})
{
    try {
        network_.wait(join(), ending_.get_token());
    } catch (const std::system_error& failure) {
        network_.call([this] { mesh_.reset(), client_.reset(); });
        explain(failure, options_);
    }
}

participation::~participation()
{
    ending_.request_stop();
    if (news_.valid()) news_.wait();
    network_.call([this] { mesh_.reset(), client_.reset(); });
}

task<> participation::join()
{
    auto& loop = network_.loop();
    task<tcp::channel> dialled = tcp::dial(loop, options_.rendezvous, options_.patience);
    auto channel = co_await std::move(dialled);
    client_ = std::make_unique<rendezvous_client>(loop, any_channel(std::move(channel)));
    wire::join request;
    request.run = options_.mesh.run;
    request.name = options_.name;
    request.at = place_beforehand(options_);
    request.parameters = options_.parameters;
    request.configuration = options_.configuration;
    joined_ = co_await client_->join(std::move(request));

    mesh_ = std::make_unique<mesh>(loop, joined_.id, options_.mesh);
    auto place = mesh_->place();
    if (!options_.announce.host.empty()) place = {options_.announce.host, options_.announce.port};
    if (place.port != 0) {
        co_await client_->announce(std::move(place));
    }
    co_await reach_host();
}

/// The validator is a member, too, and listens at a second port for that.
task<> participation::reach_host()
{
    const std::string where = tcp::to_string({joined_.host.host, joined_.host.port});
    try {
        wire::member_endpoint host{0, joined_.host};
        co_await mesh_->reach(std::move(host), options_.patience);
    } catch (const std::system_error& failure) {
        throw problem(failure.code(),
                      "the rendezvous takes this miner, but the validator's second port, " + where +
                          ", cannot be reached (" + reason(failure, where) +
                          "): it must be open as well");
    }
}

void participation::publish(shared_state latest)
{
    network_.call([&] { mesh_->publish(std::move(latest)); });
}

void participation::holding(std::uint32_t round, const std::string& digest)
{
    wire::state_held h{round, digest};
    network_.wait(client_->holding(std::move(h)), ending_.get_token());
    listen();
}

task<std::variant<wire::group, wire::state_outdated>> participation::hear()
{
    return client_->await_group();
}

void participation::listen()
{
    if (!news_.valid()) news_ = network_.start(hear(), ending_.get_token());
}

bool participation::has_news() const
{
    return news_.valid() && news_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::uint32_t participation::closing_in_ms()
{
    return network_.call([this] { return client_->closing_in_ms(); });
}

void participation::ready(wire::round_ready how)
{
    network_.wait(client_->ready(std::move(how)), ending_.get_token());
}

bool participation::is_called_within(duration patience)
{
    listen();
    return news_.wait_for(patience) == std::future_status::ready;
}

std::variant<wire::group, wire::state_outdated> participation::await_group()
{
    listen();
    return std::exchange(news_, {}).get();
}

/// A round under way is finished even when a stop is requested: leaving it would fail it for all.
averaged participation::average_in(wire::group group, round_codec codec, unsent_updates& unsent,
                                   std::span<const float> in, std::span<float> out)
{
    return network_.wait(mesh_->average_in(std::move(group), codec, unsent, in, out));
}

wire::round_outcome participation::done(wire::round_report how)
{
    auto outcome = network_.wait(client_->done(std::move(how)));
    listen();
    return outcome;
}

state_snapshot participation::fetch(wire::member_endpoint donor, std::uint32_t round)
{
    const auto size = static_cast<std::size_t>(options_.parameters);
    return network_.wait(mesh_->fetch(std::move(donor), round, size), ending_.get_token());
}

task<> participation::part()
{
    task<> told = client_->leave();
    co_await timeout(std::move(told), network_.loop().now() + std::chrono::seconds(5));
    co_await mesh_->close();
}

void participation::leave()
{
    ending_.request_stop();
    if (news_.valid()) news_.wait();
    try {
        network_.wait(part());
    } catch (const std::system_error&) {
        // Whoever cannot be told will notice.
    }
}

}  // namespace papilio::example
