#include <member/options.hpp>

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
namespace pa = papilio;

TEST_CASE("an address is a host and a port", "[member]")
{
    CHECK(parse_endpoint("10.0.0.1:5400") == pa::tcp::endpoint{"10.0.0.1", 5400});
    CHECK(parse_endpoint("example.org:1") == pa::tcp::endpoint{"example.org", 1});
    CHECK(parse_endpoint("[::1]:65535") == pa::tcp::endpoint{"::1", 65535});
    CHECK(parse_endpoint(":5400") == pa::tcp::endpoint{"::", 5400});
}

TEST_CASE("whatever is no address is answered by one", "[member]")
{
    for (const char* text : {"", "5400", "host", "host:", "host:port", "host:65536", "host:-1",
                             "::1:5400", "host:80x", "host: 80"}) {
        INFO(text);
        const auto sentence = problem_of([&] { parse_endpoint(text); });
        CHECK(mentions(sentence, "is no address: write host:port"));
    }
}

TEST_CASE("the port of an address by which others reach a host may be left out", "[member]")
{
    CHECK(parse_reachable("run.example") == pa::tcp::endpoint{"run.example", 0});
    CHECK(parse_reachable("run.example:7") == pa::tcp::endpoint{"run.example", 7});
    CHECK(parse_reachable("[::1]") == pa::tcp::endpoint{"::1", 0});
    CHECK(parse_reachable("[::1]:7") == pa::tcp::endpoint{"::1", 7});
    for (const char* text : {"", ":7", "::1", "host:port"})
        CHECK_FALSE(problem_of([&] { parse_reachable(text); }).empty());
}

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
