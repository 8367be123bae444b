#include <sim/options.hpp>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace papilio::example::simulator;

namespace {

options parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "papilio-sim");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string objection_to(std::vector<const char*> arguments)
{
    try {
        parsed(std::move(arguments));
    } catch (const CLI::Error& wrong) {
        return wrong.what();
    }
    return {};
}

}  // namespace

TEST_CASE("without options the run of seed 1 is shown", "[options]")
{
    const auto o = parsed({});
    CHECK(o.seed == 1);
    CHECK(o.seeds == 0);
    CHECK_FALSE(o.schedule);
    CHECK(parsed({"--schedule", ""}).schedule == "");
}

TEST_CASE("many runs begin where they are to", "[options]")
{
    const auto o = parsed({"--seeds", "100", "--first-seed", "41"});
    CHECK(o.seeds == 100);
    CHECK(o.first_seed == 41);
}

TEST_CASE("what does not go together is refused, and the option is named", "[options]")
{
    CHECK(objection_to({"--seed", "1", "--seeds", "3"}).find("--seeds") != std::string::npos);
    CHECK(objection_to({"--seeds", "2", "--schedule", "1ms crash 0"}).find("--seeds") !=
          std::string::npos);
    CHECK(objection_to({"--seeds", "2", "--diagram", "x.svg"}).find("--seeds") !=
          std::string::npos);
    CHECK(objection_to({"--first-seed", "2"}).find("--seeds") != std::string::npos);
    CHECK(objection_to({"--seeds", "0"}).find("1 to 1000000000") != std::string::npos);
    CHECK(objection_to({"--seed", "x"}).find("'x'") != std::string::npos);
    CHECK(objection_to({"--shedule", "x"}).find("--schedule") != std::string::npos);
}
