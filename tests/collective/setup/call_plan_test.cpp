#include <papilio/collective/setup/call_plan.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <limits>

using namespace papilio;
using namespace papilio::detail;
using namespace std::chrono_literals;
using test::thrown_by;

namespace {

/// Elements of 4 bytes, cut anywhere.
const call_kind floats{.element_size = 4};
/// The same by a codec that encodes them by 128.
const call_kind in_blocks{.element_size = 4, .granule = 128};

std::error_code by_shares(int peers, std::size_t count, const call_options& o)
{
    return thrown_by([&] { plan_by_shares(peers, count, floats, o); });
}
std::error_code by_sizes(int peers, std::size_t count, const call_options& o)
{
    return thrown_by([&] { plan_by_sizes(peers, count, floats, o); });
}

std::uint64_t layout(const call_options& o, const call_kind& kind = floats)
{
    return plan_by_shares(4, 1000, kind, o).layout;
}

using parts = std::vector<part>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("without options everybody is a full peer with an equal part")
{
    const auto plan = plan_by_shares(4, 10, floats, {});
    CHECK(plan.parts == parts{{0, 3}, {3, 3}, {6, 2}, {8, 2}});
    CHECK(plan.roles == std::vector<role>(4, role::full));
    CHECK(plan.stages.stages() == 1);
    CHECK(plan.columns == 1);
    CHECK_FALSE(plan.all_contribute);
}

TEST_CASE("only peers that reduce own a part, in the ratio of their shares")
{
    const auto plan =
        plan_by_shares(4, 40, floats,
                       {.roles = {role::full, role::client, role::auxiliary, role::observer},
                        .shares = {1.0, 5.0, 3.0, 5.0}});
    CHECK(plan.parts == parts{{0, 10}, {10, 0}, {10, 30}, {40, 0}});
}

TEST_CASE("nobody owns anything where there is nothing")
{
    const auto plan = plan_by_shares(3, 0, floats, {.shares = {1.0, 0.0, 1.0}});
    CHECK(plan.parts == parts{{0, 0}, {0, 0}, {0, 0}});
    CHECK(plan.columns == 1);
    CHECK(plan.slots == 1);
}

TEST_CASE("an auxiliary receives the parts of others if it asks for them or passes them on")
{
    const std::vector<role> roles{role::full, role::auxiliary, role::auxiliary, role::auxiliary};
    const auto declines = plan_by_shares(4, 40, floats, {.roles = roles});
    CHECK(declines.receives(0));
    CHECK_FALSE(declines.receives(1));
    CHECK(plan_by_shares(4, 40, floats, {.roles = roles, .auxiliaries_receive = true}).receives(1));
    CHECK(plan_by_shares(4, 40, floats, {.roles = roles, .radix = {2, 2}}).receives(1));
}

TEST_CASE("observers and clients receive everything")
{
    const auto plan =
        plan_by_shares(3, 40, floats, {.roles = {role::full, role::client, role::observer}});
    CHECK(plan.receives(1));
    CHECK(plan.receives(2));
}

TEST_CASE("the chunks of a column are cut at the granule and hold what was asked for at most")
{
    const auto plan =
        plan_by_shares(3, 3000, in_blocks, {.shares = {1.0, 2.0, 0.0}, .chunk_bytes = 1500});
    // The larger part has 2000 elements. 375 fit, of which 256 are whole granules: 8 columns.
    CHECK(plan.parts == parts{{0, 1000}, {1000, 2000}, {3000, 0}});
    CHECK(plan.columns == 8);
    for (int owner = 0; owner < 3; ++owner) {
        const auto whole = plan.parts[static_cast<std::size_t>(owner)];
        auto end = whole.begin;
        for (std::size_t c = 0; c < plan.columns; ++c) {
            const auto chunk = plan.chunk(owner, c);
            CHECK(chunk.begin == end);
            CHECK(chunk.size <= 256);
            if (chunk.size > 0) CHECK((chunk.begin - whole.begin) % 128 == 0);
            end = chunk.end();
        }
        CHECK(end == whole.end());
    }
}

TEST_CASE("in stages a message of the first one is about several parts and no larger")
{
    // Two parts of 1000 elements go to each peer of the first stage: 2000 by 500 are 4 columns.
    const auto plan = plan_by_shares(4, 4000, floats, {.radix = {2, 2}, .chunk_bytes = 2000});
    CHECK(plan.columns == 4);
    CHECK(plan_by_shares(4, 4000, floats, {.chunk_bytes = 2000}).columns == 2);
}

TEST_CASE("a chunk holds one element at least")
{
    CHECK(plan_by_shares(2, 10, floats, {.chunk_bytes = 1}).columns == 5);
    CHECK(plan_by_shares(2, 1000, in_blocks, {.chunk_bytes = 1}).columns == 4);
}

TEST_CASE("more chunks than a tag can number are refused")
{
    constexpr std::size_t most = max_call_index;
    const call_options smallest{.chunk_bytes = 4};
    CHECK(plan_by_shares(1, most, floats, smallest).columns == most);
    CHECK(by_shares(1, most + 1, smallest) == errc::bad_argument);
}

TEST_CASE("there are no more slots than columns")
{
    CHECK(plan_by_shares(2, 30, floats, {.chunk_bytes = 20, .in_flight = 9}).slots == 3);
    CHECK(plan_by_shares(2, 30, floats, {.chunk_bytes = 20, .in_flight = 2}).slots == 2);
}

TEST_CASE("no more than 24 MiB of elements are on the way to a peer")
{
    constexpr std::size_t mib = 1 << 20;
    const call_options wanted{.chunk_bytes = mib, .in_flight = 1000};
    CHECK(plan_by_shares(2, 64 * mib, floats, wanted).slots == 24);
    const call_options huge{.chunk_bytes = 100 * mib, .in_flight = 1000};
    CHECK(plan_by_shares(2, 128 * mib, floats, huge).slots == 1);
}

TEST_CASE("slots count a granule of each part in full where a smaller chunk was asked for")
{
    // A chunk is a granule of 1 KiB, whatever was asked for: 24 MiB hold 24,576 of them.
    const call_kind kind{.element_size = 4, .granule = 256};
    const call_options o{.chunk_bytes = 4, .in_flight = 1'000'000};
    const auto plan = plan_by_shares(2, std::size_t{1} << 24, kind, o);
    CHECK(plan.columns == 32'768);
    CHECK(plan.slots == 24'576);
    // Of four peers in two stages, a message is about two parts: 2 KiB.
    const call_options staged{.radix = {2, 2}, .chunk_bytes = 4, .in_flight = 1'000'000};
    CHECK(plan_by_shares(4, std::size_t{1} << 24, kind, staged).slots == 12'288);
}

TEST_CASE("what a caller says of messages on their way holds on near links as well")
{
    constexpr std::size_t mib = 1 << 20;
    CHECK(plan_by_shares(2, 64 * mib, floats, {.in_flight = 7}).slots_low_latency == 7);
    const auto chosen = plan_by_shares(2, 64 * mib, floats, {});
    CHECK(chosen.slots_low_latency == 2);
    CHECK(chosen.slots > 2);
}

TEST_CASE("all have to contribute in several stages of an operation that takes no uneven ones")
{
    call_kind uneven = floats;
    uneven.uneven_stages = true;
    CHECK(plan_by_shares(4, 40, floats, {.radix = {2, 2}}).all_contribute);
    CHECK_FALSE(plan_by_shares(4, 40, uneven, {.radix = {2, 2}}).all_contribute);
    CHECK_FALSE(plan_by_shares(4, 40, floats, {.radix = {4}}).all_contribute);
}

TEST_CASE("a message leaves out the parts without elements")
{
    const auto plan =
        plan_by_shares(4, 40, floats, {.shares = {1.0, 1.0, 0.0, 2.0}, .radix = {2, 2}});
    CHECK(plan.parts_of(0, 0) == std::vector{0});
    CHECK(plan.parts_of(1, 0) == std::vector{1, 3});
    CHECK(plan.parts_of(2, 1).empty());
    CHECK(plan.part_size(3) == 20);
}

TEST_CASE("peers that plan alike have the same layout, and others do not")
{
    const auto plain = layout({});
    CHECK(layout({}) == plain);
    CHECK(layout({.roles = {role::full, role::full, role::full, role::full}}) == plain);
    CHECK(layout({.shares = {2.0, 2.0, 2.0, 2.0}}) == plain);
    CHECK(layout({.radix = {4}}) == plain);

    CHECK(layout({.shares = {1.0, 1.0, 1.0, 2.0}}) != plain);
    CHECK(layout({.roles = {role::full, role::full, role::full, role::auxiliary}}) != plain);
    CHECK(layout({.radix = {2, 2}}) != plain);
    CHECK(layout({.auxiliaries_receive = true}) != plain);
    CHECK(layout({.roles = {role::full, role::full, role::client, role::full}}) !=
          layout({.roles = {role::full, role::full, role::observer, role::full}}));
}

TEST_CASE("peers whose codecs differ in a parameter have different layouts")
{
    const auto differs = [](auto change) {
        call_kind kind = floats;
        change(kind);
        return layout({}, kind) != layout({});
    };
    CHECK(differs([](call_kind& k) { k.parameters = 1; }));
    CHECK(differs([](call_kind& k) { k.back_parameters = 1; }));
    CHECK(differs([](call_kind& k) { k.back = codec_id::int8b; }));
}

TEST_CASE("options that differ from peer to peer do not change the layout")
{
    CHECK(layout({.timeout = 1s, .priority = 3, .weight = 0.5, .in_flight = 2}) == layout({}));
}

TEST_CASE("peers that send their parts unasked agree on how many messages they send")
{
    const auto of = [](std::size_t in_flight) {
        return plan_by_sizes(2, 4000, floats, {.chunk_bytes = 40, .in_flight = in_flight}).layout;
    };
    CHECK(of(3) == of(3));
    CHECK(of(3) != of(4));
}

TEST_CASE("in reduce_scatter and all_gather parts are equal or as large as the caller says")
{
    CHECK(plan_by_sizes(3, 7, floats, {}).parts == parts{{0, 3}, {3, 2}, {5, 2}});
    CHECK(plan_by_sizes(3, 7, floats, {.sizes = {0, 6, 1}}).parts == parts{{0, 0}, {0, 6}, {6, 1}});
}

TEST_CASE("sizes that are not those of the data are refused, also such as overflow")
{
    CHECK(by_sizes(3, 7, {.sizes = {1, 2, 3}}) == errc::bad_argument);
    CHECK(by_sizes(3, 7, {.sizes = {3, 3, 2}}) == errc::bad_argument);
    CHECK(by_sizes(3, 7, {.sizes = {3, 4}}) == errc::bad_argument);
    CHECK(by_sizes(3, 7, {.sizes = {3, 4, 0, 0}}) == errc::bad_argument);
    const std::size_t overflowing[] = {8, SIZE_MAX, 0};
    CHECK(by_sizes(3, 7, {.sizes = overflowing}) == errc::bad_argument);
}

TEST_CASE("options of the other collectives are refused")
{
    CHECK(by_shares(2, 4, {.sizes = {2, 2}}) == errc::bad_argument);
    CHECK(by_sizes(2, 4, {.shares = {1.0, 1.0}}) == errc::bad_argument);
    CHECK(by_sizes(2, 4, {.roles = {role::full, role::full}}) == errc::bad_argument);
}

TEST_CASE("a group without peers is refused, and one of more than a descriptor can count")
{
    CHECK(by_shares(0, 4, {}) == errc::bad_argument);
    CHECK(by_shares(-1, 4, {}) == errc::bad_argument);
    CHECK(by_shares(65'536, 4, {}) == errc::bad_argument);
    CHECK_FALSE(by_shares(65'535, 4, {}));
}

TEST_CASE("lists of another length than the group are refused")
{
    CHECK(by_shares(3, 4, {.roles = {role::full, role::full}}) == errc::bad_argument);
    CHECK(by_shares(1, 4, {.roles = {role::full, role::full}}) == errc::bad_argument);
    CHECK(by_shares(3, 4, {.shares = {1.0, 1.0}}) == errc::bad_argument);
    CHECK(by_shares(1, 4, {.shares = {1.0, 1.0}}) == errc::bad_argument);
}

TEST_CASE("numbers that make no sense are refused")
{
    for (const double weight : {-1.0, 0x1p53, infinity, not_a_number})
        CHECK(by_shares(2, 4, {.weight = weight}) == errc::bad_argument);
    for (const double weight : {0.0, 0.25, 0x1p53 - 1})
        CHECK_FALSE(by_shares(2, 4, {.weight = weight}));
    CHECK(by_shares(2, 4, {.timeout = 0s}) == errc::bad_argument);
    CHECK(by_shares(2, 4, {.timeout = -1ns}) == errc::bad_argument);
    for (const double share : {-1.0, infinity, not_a_number})
        CHECK(by_shares(2, 4, {.shares = {1.0, share}}) == errc::bad_argument);
    CHECK(by_shares(2, 4, {.shares = {0.0, 0.0}}) == errc::bad_argument);
}

TEST_CASE("a call needs peers that contribute and, for others than itself, peers that reduce")
{
    CHECK(by_shares(2, 4, {.roles = {role::auxiliary, role::observer}}) == errc::bad_argument);
    CHECK(by_shares(2, 4, {.roles = {role::client, role::client}}) == errc::bad_argument);
    CHECK(by_shares(2, 0, {.roles = {role::client, role::client}}) == errc::bad_argument);
    CHECK(by_shares(2, 4, {.roles = {role::client, role::observer}}) == errc::bad_argument);
    CHECK_FALSE(by_shares(2, 4, {.roles = {role::client, role::auxiliary}}));
    CHECK(by_shares(1, 4, {.roles = {role::client}}) == errc::bad_argument);
    CHECK_FALSE(by_shares(1, 0, {.roles = {role::client}}));
}

TEST_CASE("in stages every peer reduces and contributes, or one alone does")
{
    const auto in_stages = [](role a, role b, role c, role d) {
        return by_shares(4, 40, {.roles = {a, b, c, d}, .radix = {2, 2}});
    };
    using enum role;
    CHECK_FALSE(in_stages(full, full, full, full));
    CHECK_FALSE(in_stages(auxiliary, full, auxiliary, auxiliary));
    CHECK(in_stages(full, full, auxiliary, auxiliary) == errc::bad_argument);
    CHECK(in_stages(full, full, full, client) == errc::bad_argument);
    CHECK(in_stages(full, full, full, observer) == errc::bad_argument);
    CHECK(in_stages(client, auxiliary, auxiliary, auxiliary) == errc::bad_argument);
}

TEST_CASE("stages that do not make up the group are refused")
{
    CHECK(by_shares(4, 40, {.radix = {2, 3}}) == errc::bad_argument);
    CHECK(by_shares(4, 40, {.radix = {4, 1}}) == errc::bad_argument);
    CHECK(by_shares(4, 40, {.radix = {2}}) == errc::bad_argument);
    CHECK(by_shares(4, 40, {.radix = {-2, -2}}) == errc::bad_argument);
}
