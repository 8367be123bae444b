#include <validator/run_host.hpp>

#include <papilio/async/asio_background_loop.hpp>

#include <catch2/catch.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace papilio::example;

namespace {

/// The host of a run without members.
struct lonely_host {
    lonely_host()
    {
        background.call([this] {
            run_host_options o;
            o.listen = o.mesh.listen = {"127.0.0.1", 0};
            o.run.name = "run";
            o.run.parameters = 10;
            auto first = first_state(std::vector<float>(10));
            auto first_digest = digest(*first);
            host = std::make_unique<run_host>(
                background.loop(), o, std::move(first), std::move(first_digest), nothing_kept,
                [](const observation&) {}, [](papilio::log_level, const std::string&) {});
        });
    }
    lonely_host(const lonely_host&) = delete;
    lonely_host& operator=(const lonely_host&) = delete;
    ~lonely_host()
    {
        background.call([this] { host.reset(); });
    }

    /// How the run ends after these calls, one after another.
    run_ending after(std::initializer_list<run_ending> calls)
    {
        return background.call([&] {
            for (const auto how : calls) host->end(how);
            return host->ending();
        });
    }

    journal nothing_kept{{}, "run"};
    papilio::background_loop background;
    std::unique_ptr<run_host> host;
};

}  // namespace

TEST_CASE("a pause of a run turns into its end, and an end into nothing else", "[run_host]")
{
    CHECK(lonely_host().after({run_ending::paused}) == run_ending::paused);
    CHECK(lonely_host().after({run_ending::paused, run_ending::over}) == run_ending::over);
    CHECK(lonely_host().after({run_ending::over, run_ending::paused}) == run_ending::over);
}

TEST_CASE("a run that has paused, as its members were told, is not over afterwards", "[run_host]")
{
    lonely_host here;
    here.after({run_ending::paused});
    here.background.wait(here.host->run());
    CHECK(here.after({run_ending::over}) == run_ending::paused);
}
