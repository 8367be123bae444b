// A program's own messages beside collectives, over one transport.

#include <papilio/collective/all_reduce.hpp>

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/wire/tag.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace pa = papilio;
using pa::test::sim_cluster;

namespace {

template <class Net>
pa::task<int> swapped(Net& net, std::uint32_t number)
{
    const int other = 1 - net.rank();
    const std::array<std::byte, 1> mine{static_cast<std::byte>(10 + net.rank())};
    std::array<std::byte, 1> theirs{};
    co_await net.send(other, pa::user_tag(number), mine);
    co_await net.recv(other, pa::user_tag(number), theirs);
    co_return static_cast<int>(theirs[0]);
}

}  // namespace

TEST_CASE("a program's own messages pass beside calls, in groups, and after calls that failed")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const int other = 11 - net.rank();
        std::vector<float> data{1, 2, 3};
        auto before = swapped(net, 0);
        auto call = pa::all_reduce_in_place(net, data);
        co_await call;
        const int first = co_await before;
        CHECK(first == other);

        data[0] = std::numeric_limits<float>::quiet_NaN();
        bool failed = false;
        try {
            co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::int8b{});
        } catch (const pa::call_error&) {
            failed = true;
        }
        CHECK(failed);
        const int second = co_await swapped(net, 1);
        CHECK(second == other);

        pa::subset group(net, {0, 1}, 7);
        const int third = co_await swapped(group, 1);
        CHECK(third == other);
    });
}
