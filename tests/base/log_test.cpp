#include <papilio/base/log.hpp>

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

std::mutex guard;
std::vector<std::string> lines;

void collect(const pa::log_event& event)
{
    const std::lock_guard lock(guard);
    lines.push_back(to_string(event));
}

/// Collects what is logged while it lives.
struct collector {
    collector()
    {
        lines.clear();
        pa::set_log(collect);
    }
    ~collector() { pa::set_log(nullptr); }
    bool has(const std::string& text) const
    {
        for (const auto& line : lines)
            if (line.find(text) != std::string::npos) return true;
        return false;
    }
};

}  // namespace

TEST_CASE("an event is a line of its level, what happened, and named values")
{
    const collector log;
    pa::detail::log(pa::log_level::warning, "link failed", {"peer", "why", "after", "note"}, 3,
                    pa::make_error_code(pa::errc::silent), 1500ms, "");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == "papilio: warning: link failed peer=3 why=\"" +
                          pa::make_error_code(pa::errc::silent).message() +
                          "\" after=1.5s note=\"\"");
}

TEST_CASE("nothing is logged unless somebody listens")
{
    lines.clear();
    pa::detail::log(pa::log_level::info, "unheard", {"peer"}, 1);
    CHECK(lines.empty());
}

TEST_CASE("calls log how they end")
{
    const collector log;
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
    CHECK(log.has("debug: call succeeded call=7 peer=0"));
    CHECK(log.has("warning: call failed call=8 peer=0"));
}
