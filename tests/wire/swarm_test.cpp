#include <papilio/wire/swarm.hpp>

#include <papilio/base/random.hpp>
#include <papilio/wire/channel.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

bool fails_as(pa::errc why, const auto& act)
{
    try {
        act();
    } catch (const std::system_error& failure) {
        return failure.code() == why;
    }
    return false;
}

/// One message of each kind, every field filled.
std::vector<wire::swarm_message> one_of_each()
{
    const wire::endpoint at{"2001:db8::1", 4711};
    wire::digest_bytes some;
    for (std::size_t i = 0; i < some.size(); ++i) some[i] = std::byte(3 * i);
    const wire::run_status now{17, "0123abc", {{1, at}, {4095, {"", 0}}}, some};
    wire::join join{"run", "name", at, 124'439'808, 0x1234'5678'9abc'def0};
    join.identity = 0xfedc'ba98'7654'3210;
    join.settings = {{"--codec", "int8b"}, {"--seed", "1"}};
    wire::round_ready ready{17, "0123abc", 100, 1 << 20, 3.25};
    ready.work = ready.contributions = some;
    wire::round_report report{17, 2, true, "feed", 1, 2, 0.5, -1};
    report.state_root = some;
    report.left = {2, 5};
    return {
        join,
        wire::joined{7, {"", 9000}, now},
        wire::refused{"this run is full", wire::refusal_kind::temporary},
        wire::announce{at},
        wire::state_held{17, "0123abc"},
        wire::round_closing{17, 30'000},
        ready,
        wire::group{
            17,
            2,
            4095,
            60'000,
            {{0, at, wire::member_role::observer}, {3, at, wire::member_role::client, 0x89abcdef}}},
        report,
        wire::round_outcome{17, 2, true, false, now},
        wire::state_outdated{now},
        wire::alive{},
        wire::leave{},
        wire::state_fetching{17},
        wire::gone{4095},
    };
}

}  // namespace

TEST_CASE("every message of a swarm comes back as it was written", "[swarm][wire]")
{
    std::set<std::size_t> kinds;
    for (const auto& message : one_of_each()) {
        kinds.insert(message.index());
        const auto encoded = wire::encode(message);
        CHECK(encoded.size() <= wire::max_member_message);
        CHECK(wire::parse_swarm(encoded) == message);
    }
    CHECK(kinds.size() == std::variant_size_v<wire::swarm_message>);
}

TEST_CASE("no message of a swarm can be shorter or longer than it is", "[swarm][wire]")
{
    for (const auto& message : one_of_each()) {
        auto encoded = wire::encode(message);
        for (std::size_t n = 0; n < encoded.size(); ++n)
            CHECK(fails_as(pa::errc::bad_message,
                           [&] { wire::parse_swarm(pa::bytes(encoded).first(n)); }));
        encoded.push_back(std::byte{0});
        CHECK(fails_as(pa::errc::bad_message, [&] { wire::parse_swarm(encoded); }));
    }
}

TEST_CASE("a damaged message of a swarm is refused, or is another message", "[swarm][wire]")
{
    for (const auto& message : one_of_each()) {
        auto encoded = wire::encode(message);
        for (std::size_t i = 0; i < encoded.size() * 8; ++i) {
            encoded[i / 8] ^= std::byte(1u << (i % 8));
            try {
                const auto other = wire::parse_swarm(encoded);
                CHECK(wire::encode(other) == encoded);
            } catch (const std::system_error& failure) {
                CHECK(failure.code() == pa::errc::bad_message);
            }
            encoded[i / 8] ^= std::byte(1u << (i % 8));
        }
    }
}

TEST_CASE("fields that are missing, left over or of no meaning are named", "[swarm][wire]")
{
    namespace fields = pa::wire::detail;
    const std::array<std::byte, 3> some{std::byte{2}};
    const auto refused = [&](auto read, const char* why) {
        fields::field_reader from(some);
        CHECK_THROWS_WITH(read(from), Catch::Contains(why));
    };
    refused([](auto& from) { from.template get<std::uint64_t>(); },
            "the next field of a message has 8 bytes: 3 are left");
    refused([](auto& from) { from.get_bool(); }, "a truth value in a message is 0 or 1: it is 2");
    refused([](auto& from) { from.expect_end(); }, "3 bytes follow the last field of a message");
    fields::field_writer to;
    CHECK_THROWS_WITH(to.put(std::string(256, 'x')),
                      Catch::Contains("is at most 255 bytes: it is 256"));
}

TEST_CASE("the largest group fits into a message, and a text is never cut", "[swarm][wire]")
{
    wire::group g;
    for (int id = 0; id <= wire::max_members; ++id)
        g.members.push_back({static_cast<std::uint16_t>(id), {std::string(255, 'h'), 1}});
    const auto encoded = wire::encode(g);
    CHECK(encoded.size() <= wire::max_swarm_message);
    CHECK(wire::parse_swarm(encoded) == wire::swarm_message(g));

    g.members.push_back({});
    CHECK(fails_as(pa::errc::too_large, [&] { wire::encode(g); }));
    wire::refused no{std::string(256, 'x')};
    CHECK(fails_as(pa::errc::too_large, [&] { wire::encode(no); }));
}

TEST_CASE("ids, roles, order and versions are checked", "[swarm][wire]")
{
    const auto refuses = [](const wire::swarm_message& m) {
        return fails_as(pa::errc::bad_message, [&] { wire::parse_swarm(wire::encode(m)); });
    };
    const wire::endpoint at{"h", 1};
    CHECK(refuses(wire::joined{4096, at, {}}));
    CHECK(refuses(wire::group{0, 0, 1, 1, {{4, at}, {4, at}}}));
    CHECK(refuses(wire::group{0, 0, 1, 1, {{4, at}, {3, at}}}));
    CHECK(refuses(wire::group{0, 0, 1, 1, {{4, at, wire::member_role{4}}}}));
    wire::round_report d;
    d.culprit = 4096;
    CHECK(refuses(d));
    d.culprit = -2;
    CHECK(refuses(d));
    d.culprit = -1;
    d.left = {4, 4};
    CHECK(refuses(d));
    d.left = {4, 4096};
    CHECK(refuses(d));
    d.left.resize(wire::max_left + 1);
    for (std::size_t i = 0; i < d.left.size(); ++i) d.left[i] = static_cast<std::uint16_t>(i);
    CHECK(refuses(d));
    d.left.pop_back();
    CHECK_FALSE(refuses(d));
    CHECK(wire::encode(d).size() <= wire::max_member_message);

    auto encoded = wire::encode(wire::alive{});
    encoded[2] = std::byte{1};
    try {
        wire::parse_swarm(encoded);
        FAIL("another version was read");
    } catch (const std::system_error& failure) {
        CHECK(std::string(failure.what()).find("version 2, not 1") != std::string::npos);
    }
}

TEST_CASE("numbers that mean nothing are refused where they enter", "[swarm][wire]")
{
    const auto refused = [](const wire::swarm_message& m, const char* why) {
        CHECK_THROWS_WITH(wire::parse_swarm(wire::encode(m)), Catch::Contains(why));
    };
    for (const double seconds : {1e300, -1.0, double(INFINITY), std::nan("")}) {
        wire::round_report r;
        r.seconds = seconds;
        refused(r, "the duration of a round is from 0 to 10^9 s");
    }
    wire::round_report moved;
    moved.bytes_sent = ~std::uint64_t{0};
    refused(moved, "the number of bytes sent in a round is at most 2^53");
    wire::round_ready trained;
    trained.loss = -double(INFINITY);
    refused(trained, "the loss of a member is finite or NaN");
    trained.loss = std::nan("");
    CHECK(wire::encode(wire::parse_swarm(wire::encode(trained))) == wire::encode(trained));
    const std::uint32_t beyond = wire::max_rounds + 1;
    const std::vector<wire::swarm_message> far_ahead{
        wire::state_held{beyond, ""},         wire::round_ready{beyond, ""},
        wire::state_fetching{beyond},         wire::state_outdated{{beyond, "", {}, {}}},
        wire::round_report{beyond, 0, false}, wire::group{beyond, 0, 1, 1, {}}};
    for (const auto& m : far_ahead)
        refused(m, "a round in a message is at most 10^9: it is 1000000001");
    refused(wire::group{0, 0, 0, 1, {}}, "the epoch of a group is from 1 to");
    refused(wire::refused{"", wire::refusal_kind{4}}, "the kind of a refusal is from 0 to 3");
}

TEST_CASE("a list that claims to be long costs nothing", "[swarm][wire]")
{
    auto encoded = wire::encode(wire::state_outdated{});
    // The list is followed by a root of 32 bytes, in which 6 entries would have their place.
    encoded[encoded.size() - 34] = encoded[encoded.size() - 33] = std::byte{0x0f};
    CHECK(fails_as(pa::errc::bad_message, [&] { wire::parse_swarm(encoded); }));
    encoded[encoded.size() - 34] = std::byte{7};
    encoded[encoded.size() - 33] = std::byte{0};
    CHECK_THROWS_WITH(wire::parse_swarm(encoded),
                      Catch::Contains("at most the 6 entries that it holds: it is 7"));
}

TEST_CASE("a channel's hello is known from every stranger's", "[channel][wire]")
{
    const auto hello = wire::channel_hello();
    CHECK_NOTHROW(wire::check_channel_hello(hello.data()));
    for (std::size_t i = 0; i < hello.size(); ++i) {
        auto other = hello;
        other[i] ^= std::byte{1};
        CHECK_THROWS_AS(wire::check_channel_hello(other.data()), std::system_error);
    }
    auto later = hello;
    later[4] = std::byte{3};
    CHECK_THROWS_WITH(wire::check_channel_hello(later.data()),
                      Catch::Contains("speaks version 3 of channels, and this one version 2"));
}

TEST_CASE("control messages of different requests and services have different tags", "[wire]")
{
    using pa::control_service;
    std::set<pa::tag> seen;
    std::size_t made = 0;
    for (const auto s : {control_service::echo, control_service::bandwidth, control_service::state,
                         control_service::updates}) {
        seen.insert(pa::detail::request_tag(s));
        ++made;
        for (const std::uint32_t request : {1u << 19, (1u << 19) + 1, pa::max_tag_call})
            for (const std::uint32_t i : {0u, 1u, pa::detail::max_control_index}) {
                seen.insert(pa::detail::control_tag(s, request, i));
                ++made;
            }
    }
    CHECK(seen.size() == made);
    for (std::int64_t now = 0; now < 1000; ++now) {
        const auto n = pa::detail::request_number(now, 3, control_service::state, 0);
        CHECK(n > pa::max_tag_call / 2);
        CHECK(n <= pa::max_tag_call);
    }
}
