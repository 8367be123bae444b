#include <papilio/collective/options.hpp>

#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/integer_all_reduce.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::test::sim_cluster;

// All of these are awaited with temporaries, as callers do: another reason to test them is that
// g++ 12.2 might get that wrong.

TEST_CASE("options may follow the data alone")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), part(1), data = in;
        auto made = co_await pa::all_reduce(net, in, out, {.round = 11});
        CHECK(made.round == 11);
        CHECK(out == std::vector<float>{2, 4});
        made = co_await pa::all_reduce_in_place(net, data, {.round = 12});
        CHECK(made.round == 12);
        CHECK(data == out);
        made = co_await pa::reduce_scatter(net, in, part, {.round = 13});
        CHECK(made.round == 13);
        CHECK(part[0] == (net.rank() == 0 ? 2 : 4));
        made = co_await pa::all_gather(net, part, out, {.round = 14});
        CHECK(made.round == 14);
        CHECK(out == data);
        made = co_await pa::broadcast(net, data, 1, {.round = 15});
        CHECK(made.round == 15);
        made = co_await pa::integer_all_reduce(net, in, out, {.round = 16});
        CHECK(made.round == 17);  // it takes two
    });
}

TEST_CASE("options may follow the operation, where a call takes one")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), part(1), data = in;
        auto made = co_await pa::all_reduce(net, in, out, pa::mean{}, {.round = 21});
        CHECK(made.round == 21);
        CHECK(out == in);
        made = co_await pa::all_reduce_in_place(net, data, pa::mean{}, {.round = 22});
        CHECK(made.round == 22);
        CHECK(data == in);
        made = co_await pa::reduce_scatter(net, in, part, pa::mean{}, {.round = 23});
        CHECK(made.round == 23);
        CHECK(part[0] == (net.rank() == 0 ? 1 : 2));
    });
}

TEST_CASE("options may have a name, or say nothing")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        pa::call_options options{.round = 31};
        const pa::call_options later{.round = 32};
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), data = in;
        auto made = co_await pa::all_reduce(net, in, out, options);
        CHECK(made.round == 31);
        made = co_await pa::all_reduce_in_place(net, data, later);
        CHECK(made.round == 32);
        co_await pa::all_reduce(net, in, out, {});
        co_await pa::all_reduce(net, in, out, pa::mean{}, {});
        co_await pa::all_reduce(net, in, out, pa::mean{}, {}, {});
        CHECK(out == in);
    });
}
