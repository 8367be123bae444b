#include <papilio/collective/options.hpp>

#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/broadcast.hpp>
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
        auto made = co_await pa::all_reduce(net, in, out, {.call = 11});
        CHECK(made.call == 11);
        CHECK(out == std::vector<float>{2, 4});
        made = co_await pa::all_reduce_in_place(net, data, {.call = 12});
        CHECK(made.call == 12);
        CHECK(data == out);
        made = co_await pa::reduce_scatter(net, in, part, {.call = 13});
        CHECK(made.call == 13);
        CHECK(part[0] == (net.rank() == 0 ? 2 : 4));
        made = co_await pa::all_gather(net, part, out, {.call = 14});
        CHECK(made.call == 14);
        CHECK(out == data);
        made = co_await pa::broadcast(net, data, 1, {.call = 15});
        CHECK(made.call == 15);
    });
}

TEST_CASE("options may follow the operation, where a call takes one")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), part(1), data = in;
        auto made = co_await pa::all_reduce(net, in, out, pa::mean{}, {.call = 21});
        CHECK(made.call == 21);
        CHECK(out == in);
        made = co_await pa::all_reduce_in_place(net, data, pa::mean{}, {.call = 22});
        CHECK(made.call == 22);
        CHECK(data == in);
        made = co_await pa::reduce_scatter(net, in, part, pa::mean{}, {.call = 23});
        CHECK(made.call == 23);
        CHECK(part[0] == (net.rank() == 0 ? 1 : 2));
    });
}

TEST_CASE("options may have a name, or say nothing")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        pa::call_options options{.call = 31};
        const pa::call_options later{.call = 32};
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), data = in;
        auto made = co_await pa::all_reduce(net, in, out, options);
        CHECK(made.call == 31);
        made = co_await pa::all_reduce_in_place(net, data, later);
        CHECK(made.call == 32);
        co_await pa::all_reduce(net, in, out, {});
        co_await pa::all_reduce(net, in, out, pa::mean{}, {});
        co_await pa::all_reduce(net, in, out, pa::mean{}, {}, {});
        CHECK(out == in);
    });
}

TEST_CASE("braces stand for the operation or the codec that a call has by itself")
{
    sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        const pa::call_options options{.call = 41};
        const std::vector<float> in{1, 2};
        std::vector<float> out(2), part(1), data = in;
        auto made = co_await pa::all_reduce(net, in, out, {}, pa::identity{}, options);
        CHECK(made.call == 41);
        CHECK(out == std::vector<float>{2, 4});
        co_await pa::all_reduce(net, in, out, {}, pa::identity{});
        co_await pa::all_reduce_in_place(net, data, {}, pa::identity{});
        CHECK(data == out);
        co_await pa::reduce_scatter(net, in, part, {}, pa::identity{});
        CHECK(part[0] == (net.rank() == 0 ? 2 : 4));
        made = co_await pa::all_gather(net, part, out, {}, {.call = 42});
        CHECK(made.call == 42);
        CHECK(out == data);
        const pa::call_options last{.call = 43};
        made = co_await pa::broadcast(net, data, 1, {}, last);
        CHECK(made.call == 43);
    });
}
