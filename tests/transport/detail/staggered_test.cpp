#include <papilio/transport/detail/staggered.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/error.hpp>
#include <papilio/sim/world.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::detail::interleaved;
using pa::detail::staggered;

namespace {

constexpr auto never = 24h;

/// An address of a host: when it answers, counted from when it is asked, and whether it accepts.
struct address {
    pa::duration after;
    bool accepts;
};

struct trial {
    std::vector<pa::duration> begun;  // by address, since the start
    int under_way = 0;
};

pa::task<std::unique_ptr<int>> attempt(pa::loop& on, trial& seen, address at, int number)
{
    const pa::test::witness here(seen.under_way);
    seen.begun.push_back(on.now().time_since_epoch());
    co_await pa::sleep_for(at.after);
    if (!at.accepts)
        throw std::system_error(pa::errc::refused, "address " + std::to_string(number));
    co_return std::make_unique<int>(number);
}

/// The address that was taken, and when; the failure's text if none was.
struct outcome {
    int taken = -1;
    std::string why;
    pa::duration took{};
};

outcome connect(const std::vector<address>& all, trial& seen, pa::duration patience = 10s)
{
    pa::sim::world world;
    std::vector<pa::task<std::unique_ptr<int>>> attempts;
    for (std::size_t i = 0; i < all.size(); ++i)
        attempts.push_back(attempt(world, seen, all[i], static_cast<int>(i)));
    staggered<std::unique_ptr<int>> any(world, std::move(attempts));
    outcome o;
    const auto run = [&]() -> pa::task<> {
        try {
            auto first = any.first();
            const auto made = co_await pa::timeout(std::move(first), world.now() + patience);
            o.taken = *made;
        } catch (const std::system_error& failure) {
            o.why = failure.what();
        }
        o.took = world.now().time_since_epoch();
    };
    pa::sync_wait(world, run());
    return o;
}

}  // namespace

TEST_CASE("the second address is tried a quarter of a second after the first, which may still win")
{
    trial seen;
    auto o = connect({{never, true}, {20ms, true}}, seen);
    CHECK(o.taken == 1);
    CHECK(o.took == 270ms);
    CHECK(seen.under_way == 0);  // the first one is dropped

    trial slow;
    o = connect({{300ms, true}, {100ms, true}}, slow);
    CHECK(o.taken == 0);
    CHECK(o.took == 300ms);
    CHECK(slow.begun == std::vector<pa::duration>{0ms, 250ms});
    CHECK(slow.under_way == 0);
}

TEST_CASE("an address that refuses is followed by the next one at once")
{
    trial seen;
    const auto o = connect({{10ms, false}, {10ms, false}, {5ms, true}, {0ms, true}}, seen);
    CHECK(o.taken == 2);
    CHECK(seen.begun == std::vector<pa::duration>{0ms, 10ms, 20ms});
}

TEST_CASE(
    "a host none of whose addresses answers fails like its last one, or takes all the patience")
{
    trial seen;
    auto o = connect({{10ms, false}, {400ms, false}, {20ms, false}}, seen);
    CHECK(o.why.find("address 1") == 0);
    CHECK(o.took == 410ms);

    trial silent;
    o = connect(std::vector<address>(16, {never, true}), silent, 5s);
    CHECK(o.taken == -1);
    CHECK(o.took == 5s);
    CHECK(silent.begun.size() == 16);
    CHECK(silent.begun.back() == 15 * 250ms);
    CHECK(silent.under_way == 0);
}

TEST_CASE("addresses of two families take turns, the system's first one first")
{
    const std::vector<std::string> found{"6a", "6b", "6c", "4a", "4b"};
    const auto family = [](const std::string& a) { return a[0] == '6'; };
    CHECK(interleaved(found, family) == std::vector<std::string>{"6a", "4a", "6b", "4b", "6c"});
    const std::vector<std::string> v4_first{"4a", "6a", "6b", "4b", "4c"};
    CHECK(interleaved(v4_first, family) == std::vector<std::string>{"4a", "6a", "4b", "6b", "4c"});
    CHECK(interleaved(std::vector<std::string>{}, family).empty());
}
