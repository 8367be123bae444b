#include <papilio/transport/hybrid.hpp>

#include <papilio/collective/all_reduce.hpp>

#include "support/hybrid_cluster.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;

static_assert(pa::transport<pa::hybrid::transport>);
static_assert(pa::detail::numbers_calls<pa::hybrid::transport>);
static_assert(pa::detail::discards_calls<pa::hybrid::transport>);
static_assert(pa::detail::reports_last_heard<pa::hybrid::transport>);

namespace {

const pa::tcp::endpoint loopback{"127.0.0.1", 0};

/// What two peers at these addresses choose, from either side.
std::pair<std::string, std::string> choice(pa::hybrid::address zero_at, pa::hybrid::address one_at)
{
    pa::asio_loop loop;
    pa::hybrid::transport zero(loop, 0, {zero_at, {}});
    pa::hybrid::transport one(loop, 1, {zero.local(), one_at});
    zero.set_address(1, one.local());
    std::vector<pa::task<>> both;
    both.push_back(zero.connect());
    both.push_back(one.connect());
    pa::sync_wait(loop, all_of(std::move(both)));
    return {zero.kind(1), one.kind(0)};
}

}  // namespace

TEST_CASE("peers of one host share memory, others use TCP, and they reduce together")
{
    hybrid_cluster cluster(4, {.tcp = {.connections = 2}});
    std::map<int, std::vector<float>> results;
    cluster.run([&](pa::hybrid::transport& net) -> pa::task<> {
        for (int peer = 0; peer < 4; ++peer) {
            if (peer == net.rank()) continue;
            CHECK(net.kind(peer) == ((peer - net.rank()) % 2 == 0 ? "shm" : "tcp"));
        }
        const std::vector<float> in(100'000, static_cast<float>(net.rank()));
        auto& out = results[net.rank()];
        out.resize(in.size());
        co_await pa::all_reduce(net, in, out, pa::sum{});
    });
    for (int rank = 0; rank < 4; ++rank) CHECK(results[rank] == std::vector<float>(100'000, 6.0F));
}

TEST_CASE("a pair has the best link that both offer")
{
    using pair = std::pair<std::string, std::string>;
    CHECK(choice({loopback, {}}, {loopback, {}}) == pair{"shm", "shm"});
    CHECK(choice({loopback, {"a", {}}}, {loopback, {"b", {}}}) == pair{"tcp", "tcp"});
    CHECK(choice({{}, {}}, {{}, {}}) == pair{"shm", "shm"});
    CHECK(choice({{}, {"a", {}}}, {loopback, {"b", {}}}) == pair{"tcp", "tcp"});
    CHECK(choice({loopback, {"a", {}}}, {{}, {"b", {}}}) == pair{"tcp", "tcp"});
}

TEST_CASE("where shared memory fails on one host, TCP is used")
{
    pa::asio_loop loop;
    pa::hybrid::transport zero(loop, 0, {{loopback, {}}, {}});
    auto at = zero.local();
    at.local.name = "papilio-test-nobody";
    pa::hybrid::transport one(loop, 1, {at, {loopback, {}}});
    pa::sync_wait(loop, one.connect());
    CHECK(one.kind(0) == "tcp");
}

TEST_CASE("a peer that can be reached neither way is named")
{
    pa::asio_loop loop;
    pa::asio_loop unused;
    const pa::hybrid::transport gone(unused, 0, {{loopback, {}}});
    auto at = gone.local();
    at.local.host = "elsewhere";
    at.tcp.port = 1;
    pa::hybrid::transport one(loop, 1, {at, {loopback, {}}});
    try {
        pa::sync_wait(loop, one.connect(20ms));
        FAIL("there is no such peer");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::timed_out);
        CHECK_THAT(e.what(),
                   Catch::Contains("127.0.0.1:1 or ") && Catch::Contains("on host elsewhere"));
    }
}
