#include "participation.hpp"

#include <member/sentence.hpp>
#include <trainer/problem.hpp>

#include <papilio/transport/tcp/listener.hpp>

#include <utility>

namespace papilio::example {

namespace {

[[noreturn]] void explain(const std::system_error& failure, const participation_options& o)
{
    const std::string where = tcp::to_string(o.rendezvous);
    if (failure.code() == errc::refused)
        throw problem(failure.code(), "the rendezvous at " + where +
                                          " does not take this miner: " + sentence(failure));
    if (failure.code() == errc::timed_out || failure.code() == errc::disconnected ||
        failure.code() == errc::silent)
        throw problem(failure.code(), "there is no rendezvous at " + where + " (" +
                                          sentence(failure) +
                                          "): is the validator running, and is this its address?");
    throw;
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
    request.parameters = options_.parameters;
    request.configuration = options_.configuration;
    joined_ = co_await client_->join(std::move(request));

    mesh_ = std::make_unique<mesh>(loop, joined_.id, options_.mesh);
    auto place = mesh_->place();
    if (!options_.announce.host.empty()) place = {options_.announce.host, options_.announce.port};
    if (place.port != 0) {
        co_await client_->announce(std::move(place));
    }
    wire::located host{0, joined_.host};
    co_await mesh_->reach(std::move(host), options_.patience);
}

void participation::publish(shared_state latest)
{
    network_.call([&] { mesh_->publish(std::move(latest)); });
}

void participation::holding(std::uint32_t round, const std::string& digest)
{
    wire::holding h{round, digest};
    network_.wait(client_->holding(std::move(h)), ending_.get_token());
    listen();
}

task<std::variant<wire::group, wire::outdated>> participation::hear()
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

std::uint32_t participation::hurried_ms()
{
    return network_.call([this] { return client_->hurried_ms(); });
}

void participation::ready(wire::ready how)
{
    network_.wait(client_->ready(std::move(how)), ending_.get_token());
}

std::variant<wire::group, wire::outdated> participation::await_group()
{
    listen();
    return std::exchange(news_, {}).get();
}

/// A round under way is finished even when a stop is requested: leaving it would fail it for all.
averaged participation::average_in(wire::group group, round_codec codec, std::span<const float> in,
                                   std::span<float> out)
{
    return network_.wait(mesh_->average_in(std::move(group), codec, in, out));
}

wire::settled participation::done(wire::done how)
{
    auto outcome = network_.wait(client_->done(std::move(how)));
    listen();
    return outcome;
}

state_snapshot participation::fetch(wire::located donor, std::uint32_t round)
{
    const auto size = static_cast<std::size_t>(options_.parameters);
    return network_.wait(mesh_->fetch(std::move(donor), round, size), ending_.get_token());
}

task<> participation::part()
{
    co_await client_->leave();
    co_await mesh_->close();
}

void participation::leave()
{
    ending_.request_stop();
    if (news_.valid()) news_.wait();
    network_.wait(part());
}

}  // namespace papilio::example
