#include <papilio/collective/all_reduce.hpp>

#include <papilio/transport/tcp.hpp>

#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::test::tcp_cluster;

namespace {

/// Of two calls on links that carry 20 MB/s: the one that peer 0 is through with first, when the
/// second one begun has this priority.
std::uint32_t first_of_two(int priority)
{
    tcp_cluster cluster(2, {.max_upload = 20'000'000});
    const std::vector<float> in(std::size_t{1} << 20, 1);
    std::uint32_t first = 0;
    cluster.run([&](pa::tcp::transport& net) -> pa::task<> {
        std::vector<float> out[2] = {in, in};
        const auto call = [&](std::uint32_t which, int at) -> pa::task<> {
            const pa::call_options o{.call = which, .priority = at};
            co_await pa::all_reduce(net, in, out[which - 1], pa::sum{}, pa::identity{}, o);
            if (net.rank() == 0 && first == 0) first = which;
        };
        std::vector<pa::task<>> both;
        both.push_back(call(1, 0));
        both.push_back(call(2, priority));
        co_await pa::when_all(std::move(both));
    });
    return first;
}

}  // namespace

TEST_CASE("of two calls at the same time that of the higher priority ends first")
{
    CHECK(first_of_two(1) == 2);
    CHECK(first_of_two(-1) == 1);
}
