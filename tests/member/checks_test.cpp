#include <member/checks.hpp>

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;

namespace {

std::string objection(const CLI::Validator& check, std::string text)
{
    return check(text);
}

}  // namespace

TEST_CASE("numbers are accepted within their bounds, and refused in short words", "[member]")
{
    CHECK(objection(above_zero(), "0.5").empty());
    CHECK(objection(above_zero(0.9), "0.9").empty());
    CHECK(objection(zero_or_more(), "0").empty());
    CHECK(objection(between(1, 256), "256").empty());
    CHECK(objection(above_zero(), "0") == "must be a number above 0, not '0'");
    CHECK(objection(above_zero(0.9), "1") == "must be a number above 0 and at most 0.9, not '1'");
    CHECK(objection(between(0, 0.999), "2") == "must be a number from 0 to 0.999, not '2'");
    for (const char* text : {"-1", "nan", "inf", "1e300", "", "x", "1x"}) {
        INFO(text);
        CHECK_FALSE(objection(above_zero(), text).empty());
        CHECK_FALSE(objection(zero_or_more(), text).empty());
    }
}

TEST_CASE("a whole number is digits only, so that none below 0 turns into a huge one", "[member]")
{
    CHECK(objection(whole(), "0").empty());
    CHECK(objection(whole(), "18446744073709551615").empty());
    CHECK(objection(whole(3, 64), "64").empty());
    CHECK(objection(whole(3, 64), "65") == "must be a whole number from 3 to 64, not '65'");
    for (const char* text : {"-1", "18446744073709551616", "1.5", "1e3", "+1", " 1", "", "x"}) {
        INFO(text);
        CHECK_FALSE(objection(whole(), text).empty());
    }
}

TEST_CASE("a place to dial has a host and a port, one to listen at may leave them open", "[member]")
{
    for (const char* text : {"10.0.0.1:5400", "example.org:1", "[::1]:65535"}) {
        CHECK(objection(remote_address(), text).empty());
        CHECK(objection(listen_address(), text).empty());
    }
    for (const char* text : {":5400", "127.0.0.1:0"}) {
        CHECK_FALSE(objection(remote_address(), text).empty());
        CHECK(objection(listen_address(), text).empty());
    }
    for (const char* text : {"foo", "127.0.0.1:99999", "host:", "host:54x0", "host: 5400"}) {
        CHECK(mentions(objection(remote_address(), text), "is no address: write host:port"));
        CHECK(mentions(objection(listen_address(), text), "is no address: write host:port"));
    }
}

TEST_CASE("a host that others are told is no address", "[member]")
{
    std::string text = "[fd00::2]";
    CHECK(reachable_host()(text).empty());
    CHECK(text == "fd00::2");
    CHECK(objection(reachable_host(), "node7.example.org").empty());
    CHECK(objection(reachable_host(), "node7:5400") ==
          "'node7:5400' names a port, but each member has its own");
    CHECK(objection(reachable_host(), "") == "'' names no host");
}

TEST_CASE("a name that is none of an enumeration's is answered by all of them", "[member]")
{
    std::string text = "two";
    CHECK(one_of({"one", "two"}).description("")(text).empty());
    CHECK(text == "1");
    CHECK(objection(one_of({"one", "two"}), "three") == "must be one of one, two, not 'three'");
    CHECK_FALSE(objection(one_of({"one", "two"}), "1").empty());
}
