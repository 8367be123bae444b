#include <papilio/swarm/rendezvous.hpp>

#include <papilio/transport/tcp/listener.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace pa = papilio;
namespace tcp = papilio::tcp;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

pa::task<> take_part(pa::rendezvous_client& c, wire::join request, std::uint16_t& id)
{
    const auto me = co_await c.join(std::move(request));
    id = me.id;
    wire::round_ready r;
    co_await c.report_round_ready(r);
    const auto summons = co_await c.await_group();
    const auto& group = std::get<wire::group>(summons);
    wire::round_report d{group.round, group.attempt, true, "D"};
    const auto outcome = co_await c.report_round(d);
    if (!outcome.yours) throw std::runtime_error("the round failed");
}

pa::task<> join_over_tcp(pa::asio_loop& on, tcp::endpoint to, std::uint16_t port,
                         wire::endpoint& host, std::uint16_t& id)
{
    pa::any_channel dialled(co_await tcp::dial(on, to));
    pa::rendezvous_client c(on, std::move(dialled));
    wire::join request{"run", {}, {"", port}, 1, 1};
    const auto me = co_await c.join(request);
    host = me.host;
    wire::round_ready r;
    co_await c.report_round_ready(r);
    const auto summons = co_await c.await_group();
    const auto& group = std::get<wire::group>(summons);
    for (const auto& m : group.members)
        if (m.at.host != "127.0.0.1") throw std::runtime_error("a member is nowhere");
    wire::round_report d{group.round, group.attempt, true, "D"};
    const auto outcome = co_await c.report_round(d);
    if (!outcome.yours) throw std::runtime_error("the round failed");
    id = me.id;
    co_await c.leave();
}

pa::task<> beside(pa::task<> work, pa::task<> forever)
{
    std::vector<pa::task<>> both;
    both.push_back(std::move(work));
    both.push_back(std::move(forever));
    co_await pa::when_any(std::move(both));
}

}  // namespace

TEST_CASE("members meet over TCP and learn each other's addresses", "[rendezvous][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    pa::rendezvous_server server(loop, pa::run_description{"run", 1, 1, 0, ""}, {"127.0.0.1", 9000},
                                 {.groups = {.min_group = 2}});
    pa::rendezvous_client host(loop, pa::any_channel(server.host_channel()));

    std::array<wire::endpoint, 2> hosts;
    std::array<std::uint16_t, 2> ids{};
    std::uint16_t host_id = 1;
    std::vector<pa::task<>> tasks;
    tasks.push_back(take_part(host, {}, host_id));
    for (std::size_t i = 0; i < 2; ++i)
        tasks.push_back(join_over_tcp(loop, listener.local(), static_cast<std::uint16_t>(i + 1),
                                      hosts[i], ids[i]));
    pa::sync_wait(loop, beside(pa::test::all_of(std::move(tasks)), server.serve(listener)));
    CHECK(host_id == 0);
    CHECK(ids[0] + ids[1] == 3);
    CHECK(hosts[0] == wire::endpoint{"127.0.0.1", 9000});
    CHECK(server.run().round() == 1);
}
