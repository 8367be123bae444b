#include "group.hpp"

#include <member/endpoint.hpp>
#include <trainer/problem.hpp>

#include <papilio/async/timeout.hpp>
#include <papilio/base/text.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/swarm/rendezvous.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <asio/ip/host_name.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <utility>

namespace papilio::example {

namespace {

secret_key drawn_secret()
{
    std::random_device source;
    secret_key key;
    for (auto& word : key.words) word = source();
    return key;
}

duration seconds_long(double s)
{
    return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
}

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
    prober(asio_loop& on, const probe_options& o) : loop_(on), options_(o), secret_(drawn_secret())
    {
    }

    task<group_figures> run(void (*invite)(const std::string&))
    {
        if (options_.listen.empty()) {
            co_await dial();
        } else {
            host();
            invite(where_to_join());
        }
        wire::group group = co_await join_in_time();
        group_figures found = co_await measure(std::move(group));
        co_return found;
    }

private:
    static constexpr const char* digest = "measured";

    /// Member 0, which the others find at the rendezvous that it hosts.
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
        server_.emplace(loop_, run, place(), r);
        welcoming_ = server_->serve(*listener_);
        welcoming_->start(loop_);
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
            throw problem(failure.code(), sentence(failure) +
                                              ": is a papilio-probe with --listen "
                                              "running there?");
        }
    }

    /// By the name of this machine, where every address of it will do.
    std::string where_to_join() const
    {
        auto at = listener_->local();
        if (listens_anywhere(at.host)) {
            std::error_code nameless;
            const auto name = asio::ip::host_name(nameless);
            if (!nameless) at.host = name;
        }
        return tcp::to_string(at);
    }

    wire::endpoint place() const
    {
        const auto at = net_->local();
        return {listens_anywhere(at.host) ? "" : at.host, at.port};
    }

    /// The rendezvous itself would wait for the last of the group for as long as it takes.
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
                                              std::to_string(options_.peers) + " peers have come"
                                        : "the group was not complete";
        throw problem(errc::timed_out,
                      fmt::format("{} within {} s (--patience)", who, options_.patience));
    }

    task<wire::group> join()
    {
        wire::join request;
        request.run = options_.group;
        const auto joined = co_await client_->join(std::move(request));
        if (!net_) {
            std::vector<tcp::endpoint> places(std::size_t{joined.id} + 1);
            places[joined.id] = parse_endpoint(options_.mesh);
            net_.emplace(loop_, joined.id, std::move(places), connections(options_));
            wire::endpoint mine = place();
            co_await client_->announce(std::move(mine));
        }
        wire::round_ready here;
        co_await client_->ready(std::move(here));
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
        found.links = link_matrix(ids.size());
        for (const int id : ids)
            if (id != net_->rank()) serve(id);
        co_await all_pairs(peers, found.links);
        co_await tell(peers, found.links);

        wire::round_report told;
        told.round = group.round;
        told.attempt = group.attempt;
        told.ok = true;
        told.digest = digest;
        co_await client_->done(std::move(told));
        co_await net_->close();
        co_return found;
    }

    void serve(int id)
    {
        bandwidth_limits limits;
        limits.bytes = std::uint64_t{1} << 30;
        limits.deadline = std::chrono::minutes(10);
        serving_.push_back(serve_echo(*net_, id));
        serving_.back().start(loop_);
        serving_.push_back(serve_bandwidth(*net_, id, limits));
        serving_.back().start(loop_);
    }

    /// Nobody begins a turn before all have ended the one before.
    task<> all_pairs(subset<tcp::transport>& peers, link_matrix& links)
    {
        const auto me = static_cast<std::size_t>(peers.rank());
        const auto n = static_cast<std::size_t>(peers.size());
        for (std::size_t turn = 0; turn < n; ++turn) {
            const auto other = partner(me, turn, n);
            if (me < other) {
                co_await measure_pair(peers.member(static_cast<int>(other)), me, other, links);
            }
            call_options o;
            o.timeout = std::chrono::minutes(30);
            co_await barrier(peers, o);
        }
    }

    /// A pair that cannot be measured is missing from the matrix; why, this peer says.
    task<> measure_pair(int id, std::size_t me, std::size_t other, link_matrix& links)
    {
        try {
            round_trip_options r;
            r.secret = secret_;
            r.count = options_.count;
            const auto trip = co_await measure_round_trip(*net_, id, r);
            bandwidth rates;
            if (options_.seconds > 0) {
                sustained_options s;
                s.secret = secret_;
                s.each_way = seconds_long(options_.seconds);
                s.duplex = s.each_way / 3;
                s.max_bytes = std::size_t{1} << 30;
                s.deadline = std::chrono::minutes(10);
                rates = co_await measure_sustained(*net_, id, s);
            } else {
                bandwidth_options b;
                b.secret = secret_;
                b.bytes = static_cast<std::size_t>(options_.mib * 1024 * 1024);
                b.deadline = std::chrono::minutes(10);
                rates = co_await measure_bandwidth(*net_, id, b);
            }
            links.note(me, other, trip, rates);
        } catch (const std::system_error& failure) {
            std::fprintf(stderr, "papilio-probe: peers %zu and %zu: not measured: %s\n", me, other,
                         failure.what());
        }
    }

    task<> tell(subset<tcp::transport>& peers, link_matrix& links)
    {
        const std::vector<double> mine(links.numbers().begin(), links.numbers().end());
        co_await all_reduce(peers, mine, links.numbers(), sum{}, identity{});
    }

    asio_loop& loop_;
    probe_options options_;
    secret_key secret_;
    std::optional<tcp::transport> net_;
    std::optional<tcp::listener> listener_;
    std::optional<rendezvous_server> server_;
    std::optional<task<>> welcoming_;
    std::optional<rendezvous_client> client_;
    std::vector<task<>> serving_;
};

}  // namespace

std::size_t partner(std::size_t peer, std::size_t turn, std::size_t peers)
{
    // All but the last sit in a circle and are paired across it (T. P. Kirkman, 1847); the last one
    // takes whom that leaves alone. With an odd number there is no last one, who is left alone
    // rests.
    const auto circle = peers % 2 == 0 ? peers - 1 : peers;
    if (turn >= circle) return peer;
    if (peer == circle) {
        for (std::size_t i = 0; i < circle; ++i)
            if (2 * i % circle == turn) return i;
    }
    const auto across = (turn + circle - peer) % circle;
    if (across != peer) return across;
    return peers % 2 == 0 ? circle : peer;
}

task<group_figures> measure_group(asio_loop& on, const probe_options& o,
                                  void (*invite)(const std::string& address))
{
    prober peer(on, o);
    task<group_figures> found = peer.run(invite);
    co_return co_await std::move(found);
}

}  // namespace papilio::example
