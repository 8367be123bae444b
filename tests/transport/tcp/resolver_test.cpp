#include <papilio/transport/tcp/resolver.hpp>

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/error.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::tcp::detail::addresses;
using pa::tcp::detail::resolver;

namespace {

/// Made anew for each thread: one that has been left alone may outlast what belongs to the program.
addresses somewhere()
{
    return {asio::ip::make_address("192.0.2.7"), asio::ip::make_address("2001:db8::7")};
}

/// A DNS server that answers about "slow" when it is told to. The resolvers that ask it may be gone
/// by then.
struct server {
    std::latch told{1};
    std::latch answered{1};
    std::atomic<int> asked{0};
};

resolver::lookup ask(std::shared_ptr<server> dns)
{
    return [dns](const std::string& host) {
        ++dns->asked;
        if (host == "unknown")
            throw std::system_error(std::make_error_code(std::errc::address_not_available));
        if (host == "slow") {
            dns->told.wait();
            dns->answered.count_down();
        }
        return somewhere();
    };
}

pa::task<addresses> within(pa::loop& on, resolver& names, std::string host, pa::duration limit)
{
    pa::task<addresses> found = names.resolve(std::move(host));
    co_return co_await pa::timeout(std::move(found), on.now() + limit);
}

}  // namespace

TEST_CASE("names are resolved beside the loop, numbers at once")
{
    const auto dns = std::make_shared<server>();
    pa::asio_loop loop;
    resolver names(loop, ask(dns));
    CHECK(pa::sync_wait(loop, names.resolve("host")) == somewhere());
    CHECK(dns->asked == 1);
    const auto number = pa::sync_wait(loop, names.resolve("2001:db8::1"));
    CHECK(number == addresses{asio::ip::make_address("2001:db8::1")});
    CHECK(dns->asked == 1);
    CHECK(pa::test::thrown_by([&] { pa::sync_wait(loop, names.resolve("unknown")); }) ==
          std::errc::address_not_available);
}

TEST_CASE("a silent DNS server outlasts neither patience nor resolver nor loop")
{
    const auto dns = std::make_shared<server>();
    {
        pa::asio_loop loop;
        resolver names(loop, ask(dns));
        CHECK(pa::test::thrown_by([&] { pa::sync_wait(loop, within(loop, names, "slow", 5ms)); }) ==
              pa::errc::timed_out);
        CHECK(pa::sync_wait(loop, names.resolve("host")) == somewhere());  // nobody waits behind it
    }
    CHECK(dns->asked == 2);
    dns->told.count_down();  // the loop has ended by now
    dns->answered.wait();
}

TEST_CASE("a name is asked for once at a time, and a late answer serves who asks again")
{
    const auto dns = std::make_shared<server>();
    pa::asio_loop loop;
    resolver names(loop, ask(dns));
    for (int i = 0; i < 10; ++i)
        CHECK(pa::test::thrown_by([&] { pa::sync_wait(loop, within(loop, names, "slow", 1ms)); }) ==
              pa::errc::timed_out);
    std::vector<addresses> heard;
    const auto hear = [&]() -> pa::task<> { heard.push_back(co_await names.resolve("slow")); };
    std::vector<pa::task<>> all;
    all.push_back(hear());
    all.push_back(hear());
    const auto both = [&]() -> pa::task<> { co_await pa::when_all(std::move(all)); };
    dns->told.count_down();
    pa::sync_wait(loop, both());
    CHECK(heard == std::vector<addresses>{somewhere(), somewhere()});
    CHECK(dns->asked == 1);
}

TEST_CASE("the system's own names are found")
{
    pa::asio_loop loop;
    resolver names(loop);
    const auto found = pa::sync_wait(loop, names.resolve("localhost"));
    REQUIRE_FALSE(found.empty());
    CHECK(found.front().is_loopback());
}
