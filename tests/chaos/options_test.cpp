#include <chaos/options.hpp>
#include <chaos/process_options.hpp>

#include <trainer/problem.hpp>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace papilio::example::chaos;

namespace {

chaos_options parsed(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "papilio-chaos");
    return parse_chaos_options(static_cast<int>(arguments.size()), arguments.data());
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

TEST_CASE("without options, six members meet all faults for twenty minutes", "[options]")
{
    const auto o = parsed({});
    CHECK(o.minutes == 20);
    CHECK(o.peers == 6);
    CHECK(o.seed == 1);
    CHECK(o.every == 5);
    CHECK(o.only.empty());
}

TEST_CASE("faults are named in a list, each once", "[options]")
{
    CHECK(parsed({"--only", "one-way,kill,kill"}).only == std::vector{fault::kill, fault::one_way});
}

TEST_CASE("an option that cannot be meant is named, with what would do", "[options]")
{
    CHECK(objection_to({"--peers", "2"}).find("--peers") != std::string::npos);
    CHECK(objection_to({"--minutes", "0"}).find("0.5") != std::string::npos);
    CHECK(objection_to({"--minutes", "many"}).find("'many'") != std::string::npos);
    CHECK(objection_to({"--elements", "0"}).find("--elements") != std::string::npos);
    CHECK(objection_to({"--seed", "-1"}).find("from 0 to 18446744073709551615") !=
          std::string::npos);
    CHECK(objection_to({"--peers", "65"}).find("from 3 to 64, not '65'") != std::string::npos);
    CHECK(objection_to({"--only", "flood"}).find("one-way") != std::string::npos);
    CHECK(objection_to({"--peer", "3"}).find("--peers") != std::string::npos);
    CHECK(objection_to({"member"}).find("'member'") != std::string::npos);
}

TEST_CASE("the line that repeats a run holds all that its schedule depends on", "[options]")
{
    const auto o = parsed({"--minutes", "2.5", "--seed", "9", "--only", "kill,stop"});
    CHECK(to_repeat(o) ==
          "papilio-chaos --minutes 2.5 --peers 6 --seed 9 --every 5 --only kill,stop");
    CHECK(to_repeat(parsed({"--host", "session"})) ==
          "papilio-chaos --minutes 20 --peers 6 --seed 1 --every 5 --host session");
}

TEST_CASE("a process of the run is told its options in one argument", "[options]")
{
    process_options o{3, "127.0.0.1:5400", 7, 100, "a folder", "info", host_kind::session};
    const auto back = from_argument(to_argument(o));
    CHECK(back.number == 3);
    CHECK(back.address == o.address);
    CHECK(back.seed == 7);
    CHECK(back.elements == 100);
    CHECK(back.folder == o.folder);
    CHECK(back.host == host_kind::session);
    CHECK(back.log == "info");
    CHECK_THROWS_AS(from_argument("{}"), papilio::example::problem);
    CHECK_THROWS_AS(from_argument("3"), papilio::example::problem);
}

TEST_CASE("a member listens at an address that tells who it is", "[options]")
{
    CHECK(member_at(member_host(1)) == 1);
    CHECK(member_at(member_host(64)) == 64);
    CHECK(member_at("127.0.0.1") == 0);
    CHECK(member_at("127.0.1.") == 0);
    CHECK(member_at("127.0.1.2x") == 0);
}
