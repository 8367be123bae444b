// The miner as a program: what it survives, what it says, and what it ends with.

#include <miner/miner.hpp>

#include <member/program.hpp>
#include <member/program_run.hpp>

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
        CHECK(miner.end() == exit_ok);
        CHECK(mentions(miner.output(), "ended after round"));
        CHECK(mentions(content_of(folder.path() / "m.jsonl"), R"("event":"end")"));
    }
    const auto rest = run_of(joined(pieces, {"--rounds", "5"}));
    REQUIRE(rest.code == 0);
    CHECK(mentions(rest.output, "goes on from "));
    CHECK(last_digest(rest.output) == wanted);
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
    says(joined(quick, {"--rendezvous", "127.0.0.1:1"}), exit_failure,
         "there is no rendezvous at 127.0.0.1:1");

    const auto kept = alone(folder, "kept");
    REQUIRE(run_of(joined(kept, {"--rounds", "1"})).code == exit_ok);
    says(joined(kept, {"--rounds", "2"}), exit_failure, "add --resume");
    says(joined(kept, {"--rounds", "2", "--resume", "--seed", "9"}), exit_failure, "seed");
}

TEST_CASE("a miner explains its options", "[program]")
{
    const auto help = run_of({"--help"});
    CHECK(help.code == exit_ok);
    CHECK(mentions(help.output, "Examples:"));
    CHECK(mentions(help.output, "--inner-steps"));
}
