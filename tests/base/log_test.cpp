#include <papilio/base/log.hpp>

#include <papilio/collective/agree_links.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>
#include <support/collected_log.hpp>

#include <catch2/catch.hpp>

#include <string>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::collected_log;

TEST_CASE("an event is a line of its level, what happened, and named values")
{
    const collected_log log;
    pa::detail::log(pa::log_level::warning, "link failed", {"peer", "why", "after", "note"}, 3,
                    pa::make_error_code(pa::errc::silent), 1500ms, "");
    REQUIRE(log.lines().size() == 1);
    CHECK(log.lines()[0] == "papilio: warning: link failed peer=3 why=\"" +
                                pa::make_error_code(pa::errc::silent).message() +
                                "\" after=1.5s note=\"\"");
}

TEST_CASE("an event is one line, whatever a peer calls itself")
{
    const collected_log log;
    pa::detail::log(pa::log_level::info, "member joined", {"name", "from", "note"},
                    "eve\nwhy=\"x\"", "a\x1b[2J", "back\\slash");
    REQUIRE(log.lines().size() == 1);
    CHECK(log.lines()[0] ==
          "papilio: info: member joined name=\"eve?why=\\\"x\\\"\" "
          "from=a?[2J note=\"back\\\\slash\"");
}

TEST_CASE("a value is made only if somebody listens")
{
    int made = 0;
    const auto value = [&] { return ++made; };
    pa::detail::log(pa::log_level::info, "unheard", {"made"}, value);
    CHECK(made == 0);
    const collected_log log;
    pa::detail::log(pa::log_level::info, "heard", {"made"}, value);
    CHECK(log.has("heard made=1"));
}

TEST_CASE("a listener hears the events of its level and above")
{
    collected_log log(pa::log_level::info);
    int made = 0;
    const auto value = [&] { return ++made; };
    pa::detail::log(pa::log_level::debug, "unheard", {"made"}, value);
    CHECK(log.lines().empty());
    CHECK(made == 0);
    pa::detail::log(pa::log_level::info, "heard", {"made"}, value);
    pa::detail::log(pa::log_level::warning, "heard", {"made"}, value);
    CHECK(log.lines().size() == 2);
}

TEST_CASE("peers log of how many links they know")
{
    const collected_log log;
    pa::test::sim_cluster cluster(3);
    cluster.run([](auto& net) -> pa::task<> {
        pa::advertised_link mine;
        if (net.rank() != 1) mine.up = 1e6;
        co_await pa::agree_links(net, mine, {.call = 5});
    });
    CHECK(log.count("debug: links agreed call=5 rank=") == 3);
    CHECK(log.has("debug: links agreed call=5 rank=1 known=2"));
}

TEST_CASE("calls log how they end")
{
    const collected_log log;
    pa::test::sim_cluster cluster(2);
    cluster.run([](auto& net) -> pa::task<> {
        std::vector<float> data(10, 1);
        co_await pa::all_reduce_in_place(net, data, pa::mean{}, {.call = 7});
        if (net.rank() == 1) co_return;
        bool failed = false;
        try {
            co_await pa::all_reduce_in_place(net, data, pa::mean{}, {.timeout = 1s, .call = 8});
        } catch (const pa::call_error&) {
            failed = true;
        }
        CHECK(failed);
    });
    CHECK(log.has("debug: call succeeded call=7 rank=0"));
    CHECK(log.has("warning: call failed call=8 rank=0"));
}
