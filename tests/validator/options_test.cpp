#include <validator/options.hpp>

#include <miner/options.hpp>

#include <trainer/gpt2_model.hpp>
#include <trainer/support.hpp>

#include <CLI/CLI.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

validator_options parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "papilio-validator");
    gpt2_model gpt2(gpt2_model::user::validator);
    return parse_validator_options(static_cast<int>(arguments.size()), arguments.data(), gpt2);
}

}  // namespace

TEST_CASE("a validator needs only a text", "[validator]")
{
    const auto o = parsed({"--data", "x"});
    CHECK(o.min_group == 2);
    CHECK(o.required.min_up_mbit == 10);
    CHECK(o.rounds == 0);
    CHECK(o.evaluate_share == 0.1);
    CHECK(settings(o.run)[1].name == "--seed");
    CHECK(settings(o.run)[1].value == "1");
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
    const auto of_miner = [](const char* codec) {
        const char* const words[] = {"papilio-miner", "--alone", "--data", "y", "--codec", codec};
        gpt2_model gpt2(gpt2_model::user::miner);
        return configuration(parse_miner_options(6, words, gpt2).run);
    };
    const auto of_validator = configuration(parsed({"--data", "x"}).run);
    CHECK(of_validator == of_miner("int8b"));
    CHECK(of_validator != of_miner("f16"));
    CHECK(of_validator != configuration(parsed({"--data", "x", "--seed", "2"}).run));
}
