// The miner as a program: what it survives, what it says, and what it ends with.

#include <miner/miner.hpp>

#include <member/program.hpp>
#include <member/program_run.hpp>

#include <papilio/transport/tcp/listener.hpp>

#include <atomic>
#include <csignal>
#include <optional>

using namespace papilio::example;

namespace {

std::vector<std::string> alone(const scratch_folder& folder, const char* kept)
{
    return joined(quick_training(folder), {"--alone", "--checkpoint", folder.path() / kept});
}

struct ending {
    int code = 0;
    std::string output;
};

ending run_of(std::vector<std::string> arguments)
{
    program_run miner(PAPILIO_MINER, std::move(arguments));
    const int code = miner.end();
    return {code, miner.output()};
}

}  // namespace

TEST_CASE("a miner killed at any time and resumed ends as one that never stopped", "[program]")
{
    const scratch_folder folder;
    const auto whole = run_of(joined(alone(folder, "whole"), {"--rounds", "5"}));
    REQUIRE(whole.code == 0);
    const auto wanted = last_digest(whole.output);
    REQUIRE(wanted.size() == 64);

    const auto pieces = joined(alone(folder, "pieces"), {"--resume"});
    SECTION("by SIGKILL, as soon as it has done two rounds")
    {
        for (int i = 0; i < 3; ++i) {
            program_run miner(PAPILIO_MINER, joined(pieces, {"--rounds", "5"}));
            miner.line_with(" done, digest");
            miner.line_with(" done, digest");
            miner.signal(SIGKILL);
            miner.end();
        }
    }
    SECTION("by SIGTERM, in the midst of a round, in good order")
    {
        program_run miner(PAPILIO_MINER, joined(pieces, {"--metrics", folder.path() / "m.jsonl"}));
        REQUIRE_FALSE(miner.line_with("round 1, step 1").empty());
        miner.signal(SIGTERM);
        CHECK(miner.end() == exit_by_signal(SIGTERM));
        CHECK(mentions(miner.output(), "ended after round"));
        CHECK(mentions(content_of(folder.path() / "m.jsonl"), R"("event":"end")"));
    }
    const auto rest = run_of(joined(pieces, {"--rounds", "5"}));
    REQUIRE(rest.code == 0);
    CHECK(mentions(rest.output, "goes on from "));
    CHECK(last_digest(rest.output) == wanted);
}

TEST_CASE("a miner ends in good order though libraries have threads of their own", "[program]")
{
    // Those that begin before main, as OpenBLAS's do, may be the ones that a signal interrupts.
    ::setenv("OPENBLAS_NUM_THREADS", "4", 1);
    ::setenv("OMP_NUM_THREADS", "4", 1);
    const scratch_folder folder;
    program_run miner(PAPILIO_MINER, alone(folder, "kept"));
    REQUIRE_FALSE(miner.line_with(" done, digest").empty());
    miner.signal(SIGTERM);
    CHECK(miner.end() == exit_by_signal(SIGTERM));
    ::unsetenv("OPENBLAS_NUM_THREADS");
    ::setenv("OMP_NUM_THREADS", "1", 1);
}

TEST_CASE("a miner says what is wrong, and ends with the code for it", "[program]")
{
    const scratch_folder folder;
    const auto says = [&](std::vector<std::string> arguments, int code, const char* words) {
        const auto how = run_of(joined(std::move(arguments), {"--patience", "0.2"}));
        INFO(how.output);
        CHECK(how.code == code);
        CHECK(mentions(how.output, words));
    };
    const auto quick = quick_training(folder);
    says(quick, exit_usage, "--rendezvous");
    says(joined(quick, {"--alone", "--length", "4000"}), exit_failure, "exceed");
    says({"--alone", "--data", "/nowhere"}, exit_failure, "cannot open the data file /nowhere");
    says(joined(quick, {"--rendezvous", "127.0.0.1:1"}), exit_gave_up,
         "there is no rendezvous at 127.0.0.1:1 (Connection refused): start the validator");
    says(joined(quick, {"--rendezvous", "foo"}), exit_usage, "'foo' is no address");
    says(joined(quick, {"--alone", "--checkpoint", "/proc/x"}), exit_failure,
         "cannot create the folder /proc/x");

    const auto kept = alone(folder, "kept");
    REQUIRE(run_of(joined(kept, {"--rounds", "1"})).code == exit_ok);
    says(joined(kept, {"--rounds", "2"}), exit_failure, "add --resume");
    says(joined(kept, {"--rounds", "2", "--resume", "--seed", "9"}), exit_failure, "seed");
}

TEST_CASE("a miner that is resumed with other inner steps begins its round once more", "[program]")
{
    const scratch_folder folder;
    const auto kept = joined(alone(folder, "kept"), {"--resume"});
    REQUIRE(run_of(joined(kept, {"--inner-steps", "40", "--rounds", "2"})).code == exit_ok);
    const auto fewer = run_of(joined(kept, {"--inner-steps", "2", "--rounds", "3"}));
    CHECK(fewer.code == exit_ok);
    CHECK(mentions(fewer.output, "ended after round 3, step 6"));
    const auto more = run_of(joined(kept, {"--inner-steps", "10", "--rounds", "4"}));
    CHECK(mentions(more.output, "ended after round 4, step 40"));
}

TEST_CASE("a miner says who answers, when that is no rendezvous", "[program]")
{
    namespace pa = papilio;
    const scratch_folder folder;
    background_loop net;
    std::optional<pa::tcp::listener> stranger;
    net.call([&] { stranger.emplace(net.loop(), pa::tcp::endpoint{"127.0.0.1", 0}); });
    const auto where = pa::tcp::to_string(net.call([&] { return stranger->local(); }));
    const auto babble = [&]() -> pa::task<> {
        auto channel = co_await stranger->accept();
        const std::vector<std::byte> nonsense(100, std::byte{42});
        co_await channel.send(nonsense);
        pa::gate never;
        co_await never.opened();
    };
    std::stop_source stop;
    const auto babbling = net.start(babble(), stop.get_token());
    const auto how = run_of(joined(quick_training(folder), {"--rendezvous", where}));
    CHECK(how.code == exit_failure);
    INFO(how.output);
    CHECK(mentions(how.output, "what answers at " + where + " is no rendezvous of this version"));
    stop.request_stop();
    babbling.wait();
    net.call([&] { stranger.reset(); });
}

TEST_CASE("a miner waits for a rendezvous that accepts its channel and drops it", "[program]")
{
    namespace pa = papilio;
    const scratch_folder folder;
    background_loop net;
    std::optional<pa::tcp::listener> door;
    net.call([&] { door.emplace(net.loop(), pa::tcp::endpoint{"127.0.0.1", 0}); });
    const auto where = pa::tcp::to_string(net.call([&] { return door->local(); }));
    std::atomic<int> dropped = 0;
    const auto drop = [&]() -> pa::task<> {
        for (;;) {
            auto channel = co_await door->accept();
            ++dropped;
        }
    };
    std::stop_source stop;
    const auto dropping = net.start(drop(), stop.get_token());
    program_run miner(PAPILIO_MINER,
                      joined(quick_training(folder), {"--rendezvous", where, "--patience", "4"}));
    CHECK(mentions(miner.line_with("trying again"), "there is no rendezvous at " + where));
    CHECK(miner.end() == exit_gave_up);
    CHECK(dropped >= 2);
    stop.request_stop();
    dropping.wait();
    net.call([&] { door.reset(); });
}

TEST_CASE("a miner explains its options", "[program]")
{
    const auto help = run_of({"--help"});
    CHECK(help.code == exit_ok);
    CHECK(mentions(help.output, "Examples:"));
    CHECK(mentions(help.output, "--inner-steps"));
}
