// The miner as a program: what it survives, what it says, and what it ends with.

#include <miner/miner.hpp>

#include <member/program.hpp>
#include <member/program_run.hpp>

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <sstream>

using namespace papilio::example;

namespace {

std::vector<std::string> alone(const scratch_folder& folder, const char* kept)
{
    std::filesystem::create_directories(folder.path() / kept);
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
    const auto says = [&](std::vector<std::string> arguments, int code, const std::string& words) {
        const auto how = run_of(joined(std::move(arguments), {"--patience", "0.2"}));
        INFO(how.output);
        CHECK(how.code == code);
        CHECK(mentions(how.output, words));
    };
    const auto quick = quick_training(folder);
    says(quick, exit_usage, "--rendezvous");
    says(joined(quick, {"--alone", "--length", "4000"}), exit_failure, "exceed");
    says({"--alone", "--data", "/nowhere"}, exit_failure, "cannot open /nowhere");
    says(joined(quick, {"--rendezvous", "127.0.0.1:1"}), exit_gave_up,
         "there is no rendezvous at 127.0.0.1:1 (Connection refused): start the validator");
    says(joined(quick, {"--rendezvous", "foo"}), exit_usage, "'foo' is no address");
    says(joined(quick, {"--alone", "--checkpoint", "/proc/x"}), exit_failure,
         "cannot create the folder /proc/x");

    const auto kept = alone(folder, "kept");
    REQUIRE(run_of(joined(kept, {"--rounds", "1"})).code == exit_ok);
    says(joined(kept, {"--rounds", "2"}), exit_failure, "add --resume");
    says(joined(kept, {"--rounds", "2", "--resume", "--seed", "9"}), exit_failure, "seed");
    says(joined(quick, {"--alone", "--checkpoint", folder.path() / "kpt", "--resume"}),
         exit_failure, "there is no folder " + (folder.path() / "kpt").string());
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    says({"--alone", "--data", pipe}, exit_failure, pipe + " is no regular file");
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
    pa::background_loop net;
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

TEST_CASE("when a miner tells that a round is done, the checkpoint of the one before is in force",
          "[program]")
{
    const scratch_folder folder;
    program_run miner(PAPILIO_MINER, alone(folder, "kept"));
    const auto state = folder.path() / "kept" / "latest" / "state.json";
    for (int round = 1; round < 8; ++round) {
        REQUIRE_FALSE(miner.line_with("round " + std::to_string(round) + " done").empty());
        miner.signal(SIGSTOP);
        if (round > 1) CHECK(nlohmann::json::parse(content_of(state)).at("round") >= round - 1);
        miner.signal(SIGCONT);
    }
    miner.signal(SIGTERM);
    CHECK(miner.end() == exit_by_signal(SIGTERM));
    const auto& output = miner.output();
    const auto ended = output.substr(output.find("ended after round "));
    const auto last = nlohmann::json::parse(content_of(state));
    CHECK(mentions(ended, "ended after round " + last.at("round").dump() + ", step " +
                              last.at("step").dump() + ","));
}

TEST_CASE("a miner tells what the time of a round went into", "[program]")
{
    const scratch_folder folder;
    const auto metrics = folder.path() / "m.jsonl";
    const auto how = run_of(joined(alone(folder, "kept"), {"--rounds", "3", "--metrics", metrics}));
    CHECK(how.code == exit_ok);
    CHECK(mentions(how.output, "; steps "));
    CHECK(mentions(how.output, "%, checkpoint_wait "));
    std::istringstream lines(content_of(metrics));
    double steps = 0;
    int rounds = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto event = nlohmann::json::parse(line);
        if (event["event"] == "step") steps += event["seconds"].get<double>();
        if (event["event"] != "round") continue;
        ++rounds;
        double sum = 0;
        for (const auto& part : event["parts"]) sum += part.get<double>();
        CHECK(sum == Approx(event["round_seconds"].get<double>()));
        CHECK(event["parts"]["steps"] >= steps);
        steps = 0;
    }
    CHECK(rounds == 3);
}

TEST_CASE("a miner on a full disk trains on, and saves again when there is space", "[program]")
{
    const scratch_folder folder;
    auto arguments = joined(alone(folder, "kept"), {"--metrics", "/dev/full"});
    const std::string limited = "ulimit -S -f 100; exec \"$0\" \"$@\"";
    program_run miner("/bin/sh", joined({"-c", limited, PAPILIO_MINER}, arguments));
    REQUIRE_FALSE(
        miner.line_with("warning: cannot write to /dev/full: No space left on device").empty());
    const auto unsaved = miner.line_with("the checkpoint is not saved");
    CHECK(mentions(unsaved, "warning: "));
    CHECK(mentions(unsaved, "File too large"));
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(miner.line_with(" done, digest").empty());
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    REQUIRE(::prlimit(miner.pid(), RLIMIT_FSIZE, &unlimited, nullptr) == 0);
    REQUIRE_FALSE(miner.line_with("checkpoints are saved again").empty());
    miner.signal(SIGTERM);
    CHECK(miner.end() == exit_by_signal(SIGTERM));
    for (const char* once : {"is not saved", "cannot write to"})
        CHECK(miner.output().find(once) == miner.output().rfind(once));
    const auto rest = run_of(joined(alone(folder, "kept"), {"--resume", "--minutes", "0.001"}));
    CHECK(mentions(rest.output, "goes on from "));
}

TEST_CASE("a miner whose last checkpoint cannot be saved does not end as if all were well",
          "[program]")
{
    const scratch_folder folder;
    const std::string limited = "ulimit -f 100; exec \"$0\" \"$@\"";
    program_run miner("/bin/sh", joined({"-c", limited, PAPILIO_MINER},
                                        joined(alone(folder, "kept"), {"--rounds", "2"})));
    CHECK(miner.end() == exit_failure);
    CHECK(mentions(miner.output(), "ended after round 2"));
    CHECK(mentions(miner.output(), "error: papilio-miner: the last checkpoint could not be saved"));
}

TEST_CASE("a miner whose data shrinks saves what it has learnt, and names the file", "[program]")
{
    const scratch_folder folder;
    const auto arguments = joined(alone(folder, "kept"), {"--checkpoint-every", "1000000"});
    program_run miner(PAPILIO_MINER, arguments);
    REQUIRE_FALSE(miner.line_with(" done, digest").empty());
    const auto text = folder.path() / "text.txt";
    const auto whole = content_of(text);
    std::filesystem::resize_file(text, 10);
    CHECK(miner.end() == exit_failure);
    CHECK(mentions(miner.output(), "the data file " + text.string() + " has shrunk to 10 bytes"));
    folder.file("text.txt", whole);
    const auto rest = run_of(joined(arguments, {"--resume", "--minutes", "0.001"}));
    CHECK(rest.code == exit_ok);
    CHECK(mentions(rest.output, "goes on from "));
    CHECK_FALSE(mentions(rest.output, "goes on from " + (folder.path() / "kept").string() +
                                          "/checkpoint-000001: round 0"));
}

TEST_CASE("a miner has its checkpoints for itself", "[program]")
{
    const scratch_folder folder;
    program_run first(PAPILIO_MINER, alone(folder, "kept"));
    REQUIRE_FALSE(first.line_with(" done, digest").empty());
    const auto second = run_of(joined(alone(folder, "kept"), {"--resume"}));
    CHECK(second.code == exit_failure);
    CHECK(mentions(second.output, "another process keeps its checkpoints in "));
    first.signal(SIGKILL);
    first.end();
    const auto third = run_of(joined(alone(folder, "kept"), {"--resume", "--minutes", "0.001"}));
    CHECK(third.code == exit_ok);
}

TEST_CASE("a miner ends in good order when its terminal does, unless nohup started it", "[program]")
{
    const scratch_folder folder;
    program_run miner(PAPILIO_MINER, alone(folder, "kept"));
    REQUIRE_FALSE(miner.line_with(" done, digest").empty());
    miner.signal(SIGHUP);
    CHECK(miner.end() == exit_by_signal(SIGHUP));
    CHECK(mentions(miner.output(), "ended after round"));

    const std::string nohup = "trap '' HUP; exec \"$0\" \"$@\"";
    program_run stays("/bin/sh", joined({"-c", nohup, PAPILIO_MINER}, alone(folder, "other")));
    REQUIRE_FALSE(stays.line_with(" done, digest").empty());
    stays.signal(SIGHUP);
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(stays.line_with(" done, digest").empty());
    stays.signal(SIGTERM);
    CHECK(stays.end() == exit_by_signal(SIGTERM));
}

TEST_CASE("the lines of a miner that no terminal shows have time and level", "[program]")
{
    const scratch_folder folder;
    const auto how = run_of(joined(quick_training(folder), {"--alone", "--rounds", "1"}));
    CHECK(how.code == exit_ok);
    std::istringstream lines(how.output);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        REQUIRE(line.size() > 30);
        CHECK(line.substr(0, 2) == "20");
        CHECK(line.substr(23, 8) == "Z info: ");
    }
    CHECK(mentions(how.output, "info: ended after round 1"));
}

TEST_CASE("all programs tell their version", "[program]")
{
    for (const char* program : {PAPILIO_MINER, PAPILIO_VALIDATOR, PAPILIO_PROBE}) {
        program_run asked(program, {"--version"});
        CHECK(asked.end() == exit_ok);
        CHECK(asked.output().starts_with("papilio-"));
        CHECK(mentions(asked.output(), " 0."));
    }
}

TEST_CASE("a miner waits for a rendezvous that accepts its channel and drops it", "[program]")
{
    namespace pa = papilio;
    const scratch_folder folder;
    pa::background_loop net;
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
