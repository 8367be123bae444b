#include <member/log_line.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

TEST_CASE("a log's times are RFC 3339, in UTC", "[member]")
{
    using namespace std::chrono;
    const auto at = [](milliseconds since_1970) {
        return timestamp(system_clock::time_point(since_1970));
    };
    CHECK(at(milliseconds(0)) == "1970-01-01T00:00:00.000Z");
    CHECK(at(milliseconds(951'782'400'007)) == "2000-02-29T00:00:00.007Z");
    CHECK(at(milliseconds(-1)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a log's line has time, level and text", "[member]")
{
    const auto line = log_line("warning", "it rains");
    REQUIRE(line.size() > 24);
    CHECK(line.substr(24) == " warning: it rains");
    CHECK(line[10] == 'T');
    CHECK(line[23] == 'Z');
}
