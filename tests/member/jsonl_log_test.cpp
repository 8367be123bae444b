#include <member/jsonl_log.hpp>

#include <trainer/support.hpp>

#include <nlohmann/json.hpp>

#include "support/process_limit.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <sstream>
#include <vector>

using namespace papilio::example;

namespace {

void silent(const std::string&) {}

}  // namespace

TEST_CASE("a jsonl_log is lines of JSON that begin with the time", "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    {
        jsonl_log j(path, silent);
        j.write({{"event", "step"}, {"loss", 2.5}});
        j.write({{"name", "not \xff utf-8"}});
    }
    jsonl_log(path, silent).write({{"event", "more"}});

    std::istringstream lines(content_of(path));
    std::vector<nlohmann::ordered_json> read;
    for (std::string line; std::getline(lines, line);)
        read.push_back(nlohmann::ordered_json::parse(line));
    REQUIRE(read.size() == 3);
    CHECK(read[0].begin().key() == "time");
    CHECK(read[0]["loss"] == 2.5);
    CHECK(read[1]["name"].get<std::string>().starts_with("not "));
    CHECK(read[2]["event"] == "more");
    CHECK(as_text({{"name", "bad\xff"}}) == "{\"name\":\"bad\xef\xbf\xbd\"}");
}

TEST_CASE("a jsonl_log without a path writes nothing, and one that cannot write says why",
          "[member]")
{
    jsonl_log none({}, silent);
    CHECK_FALSE(none.kept());
    none.write({{"event", "step"}});
    CHECK(problem_of([] { jsonl_log("/nowhere/at/all", silent); }) ==
          "cannot write to /nowhere/at/all: No such file or directory");
}

TEST_CASE("on a full disk a jsonl_log leaves lines out, says so once, and each line stays whole",
          "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    std::vector<std::string> said;
    jsonl_log j(path, [&](std::string line) { said.push_back(std::move(line)); });
    j.write({{"n", 1}});
    const auto size = std::filesystem::file_size(path);
    {
        const papilio::test::process_limit disk(RLIMIT_FSIZE, size + 10);
        for (int n = 2; n < 5; ++n) j.write({{"n", n}});
        CHECK(std::filesystem::file_size(path) == size + 10);
    }
    CHECK(said == std::vector<std::string>{"cannot write to " + path.string() +
                                           ": File too large; goes on without, and tries again"});
    j.write({{"n", 5}});
    REQUIRE(said.size() == 2);
    CHECK(said[1] == "writes to " + path.string() + " again; 2 lines are missing");

    std::istringstream lines(content_of(path));
    std::vector<int> read;
    for (std::string line; std::getline(lines, line);)
        read.push_back(nlohmann::json::parse(line)["n"]);
    CHECK(read == std::vector<int>{1, 2, 5});  // the second was begun before the disk was full
    j.write({{"n", 6}});
    CHECK(said.size() == 2);
}

TEST_CASE("a jsonl_log that nobody reads from a pipe does not wait", "[member]")
{
    const scratch_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(mentions(problem_of([&] { jsonl_log(pipe, silent); }), "cannot write to " + pipe));
}
