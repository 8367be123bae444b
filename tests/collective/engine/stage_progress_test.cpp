#include <papilio/collective/engine/stage_progress.hpp>

#include "marked_data.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace papilio;
using namespace papilio::test;
using detail::call_plan;
using detail::phases;

namespace {

struct one_call {
    explicit one_call(int me, phases what = phases::both, bool verbatim = false,
                      call_plan p = four_in_two_stages())
        : plan(std::move(p)),
          call{.call = 7, .peers = static_cast<std::uint16_t>(plan.roles.size()), .columns = 2},
          weights(call, plan, me),
          data(in, out, verbatim),
          progress(plan, weights, what, data, me)
    {
    }

    call_plan plan;
    wire::descriptor call;
    detail::contribution_weights weights;
    std::vector<std::byte> in = bytes_of("abcdefghijklmnopqrst");
    std::vector<std::byte> out = bytes_of("ABCDEFGHIJKLMNOPQRST");
    marked_data data;
    detail::stage_progress progress;
};

std::vector<std::byte> copy(bytes message)
{
    return {message.begin(), message.end()};
}

call_plan single_stage(std::vector<role> roles, std::vector<part> parts, std::size_t columns = 2)
{
    return {.stages = butterfly(static_cast<int>(roles.size())),
            .parts = std::move(parts),
            .roles = std::move(roles),
            .granule = 2,
            .columns = columns};
}

}  // namespace

TEST_CASE("partners come in the order of the ring from the neighbour on")
{
    const int radix[] = {3, 4};
    call_plan plan{.stages = butterfly(12, radix),
                   .parts = std::vector<part>(12, part{0, 0}),
                   .roles = std::vector<role>(12, role::full)};
    one_call s(7, phases::both, false, plan);  // its digits are 1 and 2
    CHECK(s.progress.partners(0) == std::vector{8, 6});
    CHECK(s.progress.partners(1) == std::vector{10, 1, 4});
}

TEST_CASE("a chunk waits for everybody who may contribute and for the stage before")
{
    one_call s(0);
    CHECK(s.progress.at(0).parts == std::vector{0, 2});
    CHECK(s.progress.at(1).parts == std::vector{0});
    for (const std::size_t c : {0u, 1u}) {
        CHECK(s.progress.at(0, c).awaited == 1);
        CHECK(s.progress.at(0, c).missing_results == 2);
        CHECK(s.progress.at(0, c).unserved == 1);
        CHECK(s.progress.at(1, c).awaited == 2);
        CHECK(s.progress.at(1, c).missing_results == 1);
        CHECK(s.progress.at(1, c).unserved == 1);
    }
    CHECK(s.progress.at(0).undescribed == 1);
    CHECK_FALSE(s.progress.at(0).described.is_open());
}

TEST_CASE("auxiliaries contribute nothing and decline results, observers ask for them")
{
    one_call s(0, phases::both, false,
               single_stage({role::full, role::auxiliary, role::observer, role::client},
                            {{0, 10}, {10, 10}, {20, 0}, {20, 0}}));
    CHECK(s.progress.at(0).others == 1);
    CHECK(s.progress.at(0).undescribed == 1);
    CHECK(s.progress.at(0).own);
    CHECK(s.progress.at(0, 0).awaited == 1);
    CHECK(s.progress.at(0, 0).unserved == 2);
}

TEST_CASE("an only contributor has nobody to wait for")
{
    one_call s(0, phases::both, false,
               single_stage({role::full, role::auxiliary}, {{0, 10}, {10, 10}}));
    CHECK(s.progress.at(0).described.is_open());
    CHECK(s.progress.at(0, 0).awaited == 0);
}

TEST_CASE("who owns nothing has no chunks")
{
    one_call s(1, phases::both, false,
               single_stage({role::full, role::client}, {{0, 20}, {20, 0}}));
    CHECK(s.progress.at(0).parts.empty());
    CHECK(s.progress.at(0).chunks.empty());
}

TEST_CASE("a digit of the next stage that owns nothing is not waited for")
{
    auto plan = four_in_two_stages();
    plan.parts = {{0, 10}, {10, 10}, {20, 0}, {20, 0}};
    one_call s(0, phases::both, false, plan);
    CHECK(s.progress.at(0).parts == std::vector{0});
    CHECK(s.progress.at(0, 0).missing_results == 1);
}

TEST_CASE("results are handed on as they came, in the order of digits, whichever comes first")
{
    const bool own_first = GENERATE(true, false);
    one_call s(0);
    auto& first = s.progress.at(0, 1);
    const auto other = bytes_of(entry("rMNO"));
    if (!own_first) s.progress.finish(0, 1, 1, other);
    s.progress.finish(1, 1, 0, bytes_of("rCDE"));
    CHECK(s.progress.at(1, 1).ready.is_open());
    CHECK(copy(s.progress.results(1, 1)) == bytes_of("rCDE"));
    if (own_first) {
        CHECK_FALSE(first.ready.is_open());
        s.progress.finish(0, 1, 1, other);
    }
    CHECK(first.ready.is_open());
    CHECK(copy(s.progress.results(0, 1)) == bytes_of(entry("rCDE") + entry("rMNO")));
    CHECK_FALSE(s.progress.at(0, 0).ready.is_open());
}

TEST_CASE("the bytes of three stages are those that the owners wrote")
{
    const int radix[] = {2, 2, 2};
    call_plan plan{.stages = butterfly(8, radix),
                   .parts = {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {8, 2}, {10, 2}, {12, 2}, {14, 2}},
                   .roles = std::vector<role>(8, role::full),
                   .granule = 2};
    one_call s(5, phases::both, false, plan);  // parts 5 and 1 in stage 1, then 3 and 7 beside them
    CHECK(s.progress.at(0).parts == std::vector{1, 5, 3, 7});
    s.progress.finish(0, 0, 1, bytes_of(entry("r3") + entry("r7")));
    s.progress.finish(2, 0, 0, bytes_of("r5"));
    s.progress.finish(1, 0, 0, bytes_of(entry("r1")));
    CHECK(copy(s.progress.results(2, 0)) == bytes_of("r5"));
    CHECK(copy(s.progress.results(1, 0)) == bytes_of(entry("r1") + entry("r5")));
    CHECK(copy(s.progress.results(0, 0)) ==
          bytes_of(entry("r1") + entry("r5") + entry("r3") + entry("r7")));
}

TEST_CASE("elements that travel as they lie are sent from there or put together")
{
    one_call s(0, phases::both, true);
    s.progress.finish(1, 0, 0, {});
    s.progress.finish(0, 0, 1, {});
    const auto last = s.progress.results(1, 0);
    CHECK(last.data() == s.out.data());
    CHECK(copy(last) == bytes_of("AB"));
    CHECK(copy(s.progress.results(0, 0)) == bytes_of(entry("AB") + entry("KL")));
}

TEST_CASE("without contributions the first result carries the descriptor and no other does")
{
    const bool verbatim = GENERATE(false, true);
    one_call s(0, phases::all_gather, verbatim);
    const auto head = wire::encode(s.call);
    const std::string mark = verbatim ? "" : "r";
    for (const std::size_t c : {0u, 1u}) {
        const std::string own = mark + (c == 0 ? "AB" : "CDE"),
                          other = mark + (c == 0 ? "KL" : "MNO");
        s.progress.finish(1, c, 0, verbatim ? std::vector<std::byte>{} : bytes_of(own));
        s.progress.finish(0, c, 1, verbatim ? std::vector<std::byte>{} : bytes_of(entry(other)));
        const std::size_t skip = c == 0 ? head.size() : 0;
        for (const int k : {0, 1}) {
            const auto all = s.progress.results(k, c);
            if (c == 0) CHECK(copy(all.first(skip)) == copy(head));
            CHECK(copy(all.subspan(skip)) == bytes_of(k == 1 ? own : entry(own) + entry(other)));
        }
        CHECK(s.progress.described_by_result(c) == (c == 0));
    }
}

TEST_CASE(
    "where somebody has no part the first result carries everybody's weights and no other does")
{
    auto plan = single_stage({role::full, role::full, role::full}, {{0, 10}, {10, 10}, {20, 0}});
    plan.tells_weights = true;
    one_call s(0, phases::both, true, plan);
    s.weights.take(
        1, wire::encode(wire::descriptor{.call = 7, .peers = 3, .columns = 2, .weight = 3}));
    for (const std::size_t c : {0u, 1u}) s.progress.finish(0, c, 0, {});
    const auto first = s.progress.results(0, 0);
    CHECK(wire::parse_weights(first, 3) == std::vector<double>{1, 3, 0});
    CHECK(copy(s.progress.without_description(first)) == bytes_of("ABCD"));
    CHECK(s.weights.known(2) == 0);
    CHECK(s.progress.results(0, 1).data() == s.out.data() + 4);
}

TEST_CASE("a reduce_scatter has no results to send")
{
    one_call s(0, phases::reduce_scatter);
    CHECK(s.progress.reduces());
    CHECK_FALSE(s.progress.gathers());
    CHECK(s.progress.results(1, 0).empty());
    CHECK(s.progress.results(0, 0).empty());
}

TEST_CASE("a message is kept until the last partner has been served")
{
    one_call s(0, phases::both, false,
               single_stage({role::full, role::full, role::full}, {{0, 8}, {8, 6}, {14, 6}}));
    s.progress.finish(0, 0, 0, bytes_of("rABCD"));
    s.progress.served(0, 0);
    CHECK(copy(s.progress.results(0, 0)) == bytes_of("rABCD"));
    s.progress.served(0, 0);
    CHECK(s.progress.at(0, 0).message.capacity() == 0);
}

TEST_CASE("nobody waits for the answer to one of the last chunks")
{
    auto plan = single_stage({role::full, role::full}, {{0, 10}, {10, 10}}, 5);
    plan.slots = 2;
    one_call s(0, phases::both, false, plan);
    CHECK_FALSE(s.progress.needs_no_credit(0));
    CHECK_FALSE(s.progress.needs_no_credit(2));
    CHECK(s.progress.needs_no_credit(3));
    CHECK(s.progress.needs_no_credit(4));
}
