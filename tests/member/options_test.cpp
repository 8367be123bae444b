#include <member/options.hpp>

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

TEST_CASE("members that differ in what decides the weights have other configurations", "[member]")
{
    run_options same;
    same.model = {{"--preset", "demo"}, {"--seed", "1"}};
    const auto differs = [&](auto change) {
        run_options other = same;
        change(other);
        return configuration(other) != configuration(same);
    };
    CHECK_FALSE(differs([](run_options&) {}));
    CHECK_FALSE(differs([](run_options& o) { o.congestion = "bbr", o.log = "debug"; }));
    CHECK(differs([](run_options& o) { o.model[0].second = "gpt2-124m"; }));
    CHECK(differs([](run_options& o) { o.model[1].second = "2"; }));
    CHECK(differs([](run_options& o) { o.model = {{"--preset", "demo--seed1"}}; }));
    CHECK(differs([](run_options& o) { o.model.clear(); }));
    CHECK(differs([](run_options& o) { o.codec = round_codec::none; }));
    CHECK(differs([](run_options& o) { o.outer.rate = 0.6f; }));
    CHECK(differs([](run_options& o) { o.outer.momentum = 0; }));
}
