#include <chaos/findings.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace papilio::example::chaos;

namespace {

/// The line of `text` that begins with these words; empty: none does.
std::string line_of(const std::string& text, const std::string& words)
{
    const auto begin = ("\n" + text).find("\n" + words);
    return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

findings some_findings()
{
    findings f(1);
    f.faults = {{{10, fault::kill, 3, 0, 2}, 1, 2, 0.5, 4.0},
                {{20, fault::kill, 4, 0, 2}, 2, 0, 1.5, {}},
                {{30, fault::kill, 4, 0, 2}, 0, 3, 2.5, 6.0},
                {{40, fault::host_kill, 0, 0, 2}, 0, 0, {}, {}}};
    f.left_out = {{fault::one_way, "it needs root"}};
    f.rounds = 70;
    f.seconds = 120;
    return f;
}

}  // namespace

TEST_CASE("a fault is told with those to whom it happens, and how long", "[findings]")
{
    CHECK(to_string({1, fault::kill, 3, 0, 2.25}) == "kills member 3, for 2.2 s");
    CHECK(to_string({1, fault::restart, 4, 0, 0}) == "restarts member 4");
    CHECK(to_string({1, fault::link_down, 2, 0, 0}) ==
          "ends the connections of member 2 with the host");
    CHECK(to_string({1, fault::one_way, 2, 5, 3}) ==
          "drops what arrives at member 2 from member 5, for 3.0 s");
}

TEST_CASE("the table counts each kind, with median and longest times", "[findings]")
{
    const auto text = to_text(some_findings());
    CHECK(line_of(text, "kill") ==
          "kill              3        5        3      1.5 / 2.5      6.0 / 6.0");
    CHECK(line_of(text, "host-kill") ==
          "host-kill         1        0        0              -              -");
    CHECK(line_of(text, "stop") ==
          "stop              0        0        0              -              -");
}

TEST_CASE("a kind that was left out is told loudly, and why", "[findings]")
{
    CHECK(line_of(to_text(some_findings()), "one-way") == "one-way      LEFT OUT: it needs root");
}

TEST_CASE("the last lines tell what was wrong, or that nothing was", "[findings]")
{
    auto f = some_findings();
    const auto good = to_text(f);
    CHECK(line_of(good, "rounds") == "rounds completed 70, in 120 s");
    CHECK(line_of(good, "attempts") ==
          "attempts at rounds of which a majority was unharmed 0, completed 0");
    CHECK(line_of(good, "wrong") == "wrong numbers 0 of 0, in 0 results");
    CHECK(good.ends_with("nothing was wrong\n"));
    f.checked.add(1, 5, "abc");
    f.checked.add(2, 5, "def");
    f.failures.assign(25, "it was stuck");
    const auto bad = to_text(f);
    CHECK(line_of(bad, "DIGESTS") == "DIGESTS DIFFER 1 times, of 2 states and 0 results");
    CHECK(line_of(bad, "FAILED") == "FAILED: it was stuck");
    CHECK(bad.ends_with("and 5 more\n"));
}
