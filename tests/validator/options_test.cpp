#include <validator/options.hpp>

#include <trainer/support.hpp>

#include <CLI/CLI.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

validator_options parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "papilio-validator");
    return parse_validator_options(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("a validator needs only a text", "[validator]")
{
    const auto o = parsed({"--data", "x"});
    CHECK(o.min_group == 2);
    CHECK(o.required.min_up_mbit == 10);
    CHECK(o.rounds == 0);
    CHECK(o.evaluate_share == 0.1);
    CHECK(trainer_part(o).seed == 1);
    CHECK(o.listen == "[::]:5400");
    CHECK(o.mesh == "[::]:5401");
    CHECK(o.run.log == "off");
    CHECK(parsed({"--data", "x", "--log", "warning"}).run.log == "warning");
}

TEST_CASE("a validator's options that make no sense are refused", "[validator]")
{
    CHECK_THROWS_AS(parsed({}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--min-group", "0"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--min-group", "5", "--max-group", "4"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--probe", "0"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--resume"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--listen", "127.0.0.1:99999"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--mesh", "foo"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--log", "loud"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--held-out", "0"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--max-group", "4096"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--evaluate", "-1"}), CLI::Error);
    for (const char* share : {"0", "-0.1", "1.1", "nan", "0.1x", ""})
        CHECK_THROWS_WITH(parsed({"--data", "x", "--evaluate-share", share}),
                          Catch::Contains("--evaluate-share") && Catch::Contains("above 0"));
    CHECK_THROWS_AS(parsed({"--data", "x", "--round-timeout", "1e9"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--rounds", "4294967295"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--hold", "-1"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--fall-back"}), CLI::Error);
    CHECK_THROWS_AS(parsed({"--data", "x", "--advertise", ":5401"}), CLI::Error);
    CHECK_THROWS_WITH(parsed({"--data", "x", "--mesh", "127.0.0.1:5401"}),
                      Catch::Contains("--advertise"));
    CHECK(
        parsed({"--data", "x", "--mesh", "127.0.0.1:5401", "--advertise", "a.example"}).advertise ==
        "a.example");
}

TEST_CASE("a validator and a miner with the same words are of one configuration", "[validator]")
{
    CHECK(configuration(parsed({"--data", "x"}).run) == configuration(run_options{}));
    CHECK(configuration(parsed({"--data", "x", "--codec", "f16"}).run) !=
          configuration(run_options{}));
}
