#include <chaos/child_report.hpp>

#include <trainer/problem.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example::chaos;

namespace {

attempt_ended some_attempt()
{
    attempt_ended a;
    a.round = 12;
    a.group = "12.0.3 127.0.1.1:5000";
    a.ok = true;
    a.seconds = 0.25;
    a.members = {1, 2, 3};
    a.without = {3};
    a.made_of = {{0, 2, {1, 2}}, {2, 1, {2}}};
    a.mean = {1.5f, -2.0f, 0.0f};
    return a;
}

}  // namespace

TEST_CASE("reports come out of the pipe as they went in, however it is cut", "[chaos]")
{
    const std::string written = encode(hosting{"127.0.0.1:5400"}) + encode(some_attempt()) +
                                encode(state_taken{13, "abc", true}) +
                                encode(round_settled{14, "def"}) + encode(doing{"waits\n\"x\""});
    report_reader reader;
    std::vector<child_report> read;
    for (const char c : written) {
        reader.add({&c, 1});
        while (auto r = reader.next()) read.push_back(std::move(*r));
    }
    REQUIRE(read.size() == 5);
    CHECK(std::get<hosting>(read[0]).address == "127.0.0.1:5400");
    const auto& a = std::get<attempt_ended>(read[1]);
    CHECK(a.round == 12);
    CHECK(a.group == some_attempt().group);
    CHECK(a.ok);
    CHECK(a.members == some_attempt().members);
    CHECK(a.without == some_attempt().without);
    CHECK(a.made_of == some_attempt().made_of);
    CHECK(a.mean == some_attempt().mean);
    CHECK(std::get<state_taken>(read[2]).fetched);
    CHECK(std::get<round_settled>(read[3]).digest == "def");
    CHECK(std::get<doing>(read[4]).text == "waits\n\"x\"");
}

TEST_CASE("what is cut off in the middle, as by a kill, is no report", "[chaos]")
{
    const auto whole = encode(some_attempt());
    report_reader reader;
    reader.add(std::string_view(whole).substr(0, whole.size() - 1));
    CHECK_FALSE(reader.next());
}

TEST_CASE("what no process of the run writes is refused", "[chaos]")
{
    const std::string_view text = GENERATE("no JSON\n", "{}\n", "[1]\n",
                                           R"({"event":"attempt"})"
                                           "\n",
                                           R"({"event":"attempt","elements":99999999999})"
                                           "\n",
                                           R"({"event":"state","round":-1,"digest":7})"
                                           "\n");
    report_reader reader;
    reader.add(text);
    CHECK_THROWS_AS(reader.next(), papilio::example::problem);
}
