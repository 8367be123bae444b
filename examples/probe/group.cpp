#include "group.hpp"

#include "pairs.hpp"

#include <member/program.hpp>
#include <member/seconds.hpp>
#include <trainer/problem.hpp>

#include <papilio/async/timeout.hpp>
#include <papilio/base/text.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/swarm/rendezvous.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <asio/ip/host_name.hpp>

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace papilio::example {

namespace {

tcp::options connections(const probe_options& o)
{
    tcp::options t;
    t.max_peers = wire::max_members + 1;
    t.congestion = o.congestion.empty() ? nullptr : o.congestion.c_str();
    return t;
}

/// One peer of the group, from joining to leaving. Belongs to the loop.
class prober {
public:
    prober(asio_loop& on, const probe_options& o) : loop_(on), options_(o) {}

    task<group_figures> run(void (*invite)(const std::string&))
    {
        if (options_.listen.empty()) {
            co_await dial();
        } else {
            host();
            invite(address_to_join());
        }
        wire::group group = co_await join_in_time();
        group_figures found = co_await measure(std::move(group));
        co_return found;
    }

private:
    static constexpr const char* digest = "measured";

    /// Hosts the rendezvous, and takes part as member 0.
    void host()
    {
        net_.emplace(loop_, 0, std::vector{parse_endpoint(options_.mesh)}, connections(options_));
        listener_.emplace(loop_, parse_endpoint(options_.listen));
        run_description run;
        run.name = options_.group;
        rendezvous_options r;
        r.groups.min_group = r.groups.max_group = options_.peers - 1;
        r.groups.max_members = options_.peers;
        r.groups.group_wait = seconds_long(options_.patience);
        r.groups.round_timeout = std::chrono::hours(24);  // of all pairs together
        server_.emplace(loop_, run, announced(), r);
        accepting_ = server_->serve(*listener_);
        accepting_->start(loop_);
        client_.emplace(loop_, any_channel(server_->host_channel()));
    }

    task<> dial()
    {
        const auto at = parse_endpoint(options_.rendezvous);
        try {
            task<tcp::channel> dialled = tcp::dial(loop_, at, seconds_long(options_.patience));
            auto channel = co_await std::move(dialled);
            client_.emplace(loop_, any_channel(std::move(channel)));
        } catch (const std::system_error& failure) {
            const auto why =
                sentence(failure) + ": is a papilio-probe with --listen running there?";
            if (failure.code() == errc::refused) throw problem(failure.code(), why);
            throw gave_up(failure.code(), why);
        }
    }

    /// The address that others join at, with the name of this machine where it listens at any
    /// address.
    std::string address_to_join() const
    {
        auto at = listener_->local();
        if (listens_anywhere(at.host)) {
            std::error_code error;
            const auto name = asio::ip::host_name(error);
            if (!error) at.host = name;
        }
        return tcp::to_string(at);
    }

    wire::endpoint announced() const
    {
        const auto at = net_->local();
        return {listens_anywhere(at.host) ? "" : at.host, at.port};
    }

    /// Joins within --patience. The rendezvous itself would wait for the last member without limit.
    task<wire::group> join_in_time()
    {
        const auto deadline = loop_.now() + seconds_long(options_.patience);
        task<wire::group> joining = join();
        timeout<wire::group> joining_in_time(std::move(joining), deadline);
        try {
            wire::group group = co_await joining_in_time;
            co_return group;
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::timed_out || loop_.now() < deadline) throw;
        }
        const std::string who = server_ ? std::to_string(server_->run().members().size()) + " of " +
                                              std::to_string(options_.peers) + " peers have joined"
                                        : "the group was not complete";
        throw gave_up(errc::timed_out,
                      fmt::format("{} within {} s (--patience)", who, options_.patience));
    }

    task<wire::group> join()
    {
        const auto joined = co_await client_->join({options_.group, {}});
        if (!net_) {
            std::vector<tcp::endpoint> endpoints(std::size_t{joined.id} + 1);
            endpoints[joined.id] = parse_endpoint(options_.mesh);
            net_.emplace(loop_, joined.id, std::move(endpoints), connections(options_));
            co_await client_->announce(announced());
        }
        wire::round_ready here;
        co_await client_->report_round_ready(std::move(here));
        auto found = co_await client_->await_group();
        if (!std::holds_alternative<wire::group>(found))
            throw problem(errc::refused, "the group has been measured without this peer");
        co_return std::get<wire::group>(std::move(found));
    }

    task<group_figures> measure(wire::group group)
    {
        std::vector<int> ids;
        group_figures found;
        for (const auto& m : group.members) {
            ids.push_back(m.id);
            found.peers.push_back(m.id == net_->rank()
                                      ? "this one"
                                      : printable(m.at.host) + ":" + std::to_string(m.at.port));
            if (m.id != net_->rank()) net_->set_address(m.id, {m.at.host, m.at.port});
        }
        co_await net_->connect(ids, seconds_long(options_.patience));
        subset<tcp::transport> peers(*net_, ids, group.epoch);
        pairs_.emplace(*net_, options_);
        found.links = co_await pairs_->run(peers);

        wire::round_report report;
        report.round = group.round;
        report.attempt = group.attempt;
        report.ok = true;
        report.digest = digest;
        co_await client_->report_round(std::move(report));
        co_await net_->close();
        co_return found;
    }

    asio_loop& loop_;
    probe_options options_;
    std::optional<tcp::transport> net_;
    std::optional<tcp::listener> listener_;
    std::optional<rendezvous_server> server_;
    std::optional<task<>> accepting_;
    std::optional<rendezvous_client> client_;
    std::optional<pair_measurement> pairs_;
};

}  // namespace

task<group_figures> measure_group(asio_loop& on, const probe_options& o,
                                  void (*invite)(const std::string& address))
{
    prober peer(on, o);
    task<group_figures> found = peer.run(invite);
    co_return co_await std::move(found);
}

}  // namespace papilio::example
