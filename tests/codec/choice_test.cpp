#include <papilio/codec/choice.hpp>

#include <papilio/codec.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace papilio;

namespace {

constexpr double giga = 1e9, gigabit = 1e9 / 8;

/// As one core might have them: int4b is coarse and slow, float needs no work at all.
const std::vector<codec_figures> figures{
    {codec_id::identity, 32, 0, 100 * giga, 100 * giga},
    {codec_id::as_bf16, 16, 2.8e-6, 5 * giga, 5 * giga},
    {codec_id::int8b, 8.125, 4.2e-5, 3 * giga, 3 * giga},
    {codec_id::int4b_32, 4.5, 9.5e-3, 2.5 * giga, 2.5 * giga},
};

codec_id chosen(double link, double error, std::optional<codec_id> last = {})
{
    return fastest_codec(figures, {.link_bytes_per_second = link, .max_error = error}, last).id;
}

}  // namespace

TEST_CASE("the first rule that fits a tensor says how it is sent")
{
    const std::vector<codec_rule> rules{
        {.use = codec_id::identity, .name_contains = "router"},
        {.use = codec_id::as_bf16, .at_most = 1024},
        {.use = codec_id::as_bf16, .max_dimensions = 1},
        {.use = codec_id::as_f16, .role = tensor_role::optimizer_state},
        {.use = codec_id::int4b_32, .at_least = 1'000'000},
    };
    CHECK(rule_for({.name = "layer3.router.weight", .elements = 5000}, rules) ==
          codec_id::identity);
    CHECK(rule_for({.elements = 1024}, rules) == codec_id::as_bf16);
    CHECK(rule_for({.elements = 5000, .dimensions = 1}, rules) == codec_id::as_bf16);
    CHECK(rule_for({.elements = 5000, .role = tensor_role::optimizer_state}, rules) ==
          codec_id::as_f16);
    CHECK(rule_for({.elements = 1'000'000}, rules) == codec_id::int4b_32);
    CHECK_FALSE(rule_for({.elements = 999'999}, rules));
    CHECK_FALSE(rule_for({}, {}));
}

TEST_CASE(
    "slow links get few bits, fast ones little work, and both the precision they were promised")
{
    CHECK(chosen(1 * gigabit, 1) == codec_id::int4b_32);
    CHECK(chosen(1 * gigabit, 1e-3) == codec_id::int8b);
    CHECK(chosen(1 * gigabit, 1e-5) == codec_id::as_bf16);
    CHECK(chosen(1 * gigabit, 0) == codec_id::identity);
    CHECK(chosen(16 * gigabit, 1) == codec_id::int8b);
    CHECK(chosen(400 * gigabit, 1) == codec_id::identity);
}

TEST_CASE("of codecs that are equally fast the most precise one is chosen, whichever comes first")
{
    const codec_figures coarse{codec_id::as_bf16, 16, 2.8e-6, 5 * giga, 5 * giga};
    const codec_figures precise{codec_id::as_f16, 16, 4.4e-8, 5 * giga, 5 * giga};
    for (const auto& both : {std::vector{coarse, precise}, std::vector{precise, coarse}})
        CHECK(fastest_codec(both, {.link_bytes_per_second = gigabit}).id == codec_id::as_f16);
}

TEST_CASE("what a codec takes is the slower of its work and its bytes")
{
    CHECK(seconds_per_element({.bits = 8, .encodes_per_second = 1e9, .decodes_per_second = 1e9},
                              1e6) == Approx(2e-6));
    CHECK(seconds_per_element({.bits = 8, .encodes_per_second = 1e9, .decodes_per_second = 1e9},
                              1e12) == Approx(3e-9));
    CHECK(fastest_codec(figures, {.link_bytes_per_second = gigabit, .max_error = 1e-3})
              .seconds_per_element == Approx(2 * 8.125 / 1e9));
}

TEST_CASE("a choice stays until another is faster by more than the hysteresis")
{
    codec_id last = chosen(20 * gigabit, 1);
    int changes = 0;
    for (int round = 0; round < 100; ++round) {  // a link that wavers by a tenth
        const auto now = chosen((round % 2 == 0 ? 19 : 21) * gigabit, 1, last);
        changes += now != last ? 1 : 0;
        last = now;
    }
    CHECK(changes <= 1);
    CHECK(chosen(400 * gigabit, 1, codec_id::int4b_32) == codec_id::identity);
    CHECK(chosen(1 * gigabit, 1e-3, codec_id::int4b_32) == codec_id::int8b);  // not precise enough
    CHECK(chosen(1 * gigabit, 1, codec_id::sign1) == codec_id::int4b_32);     // no candidate
}

TEST_CASE("where nothing is precise enough, there is no choice")
{
    CHECK_THROWS_AS(fastest_codec(std::span(figures).last(2), {.max_error = 1e-9}),
                    std::system_error);
    CHECK_THROWS_AS(fastest_codec({}, {}), std::system_error);
}

TEST_CASE("a chosen codec sends, and stands in the report")
{
    using choices = codec_list<identity, as_bf16, int8b, two_way<int4b<32>, int8b>>;
    test::sim_cluster cluster(3);
    const std::vector<float> in(5000, 1.5f);
    for (const auto id : {codec_id::as_bf16, codec_id::int8b, codec_id::int4b_32}) {
        std::vector<std::pair<codec_id, codec_id>> reported;
        cluster.run([&](auto& net) -> task<> {
            std::vector<float> out(in.size());
            const auto reduce = [&](auto codec) { return all_reduce(net, in, out, mean{}, codec); };
            const auto done = co_await with_codec(choices{}, id, reduce);
            reported.emplace_back(done.codec, done.back);
        });
        const auto back = id == codec_id::int4b_32 ? codec_id::int8b : id;
        CHECK(reported == std::vector(3, std::pair(id, back)));
    }
    CHECK_THROWS_AS(with_codec(choices{}, codec_id::sign1, [](auto) {}), std::system_error);
}

TEST_CASE("peers that chose differently find out before anything is used")
{
    test::sim_cluster cluster(2);
    const std::vector<float> in(5000, 1.5f);
    int mismatches = 0;
    cluster.run([&](auto& net) -> task<> {
        std::vector<float> out(in.size());
        const auto id = net.rank() == 0 ? codec_id::int8b : codec_id::as_bf16;
        const auto reduce = [&](auto codec) { return all_reduce(net, in, out, mean{}, codec); };
        try {
            co_await with_codec(codec_list<as_bf16, int8b>{}, id, reduce);
        } catch (const std::system_error& failure) {
            mismatches += failure.code() == errc::mismatch ? 1 : 0;
        }
    });
    CHECK(mismatches >= 1);
}
