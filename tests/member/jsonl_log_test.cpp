#include <member/jsonl_log.hpp>

#include <trainer/support.hpp>

#include <nlohmann/json.hpp>

#include "support/process_limit.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <vector>

using namespace papilio::example;

namespace {

void silent(const std::string&) {}

constexpr jsonl_log::clock::duration at_once{};
constexpr jsonl_log::clock::duration not_by_itself = std::chrono::hours(1000);

/// The field `n` of each line.
std::vector<int> numbers_in(const std::filesystem::path& path)
{
    std::istringstream lines(content_of(path));
    std::vector<int> read;
    for (std::string line; std::getline(lines, line);)
        read.push_back(nlohmann::json::parse(line)["n"]);
    return read;
}

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
    jsonl_log j(
        path, [&](std::string line) { said.push_back(std::move(line)); }, at_once);
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

    CHECK(numbers_in(path) ==
          std::vector<int>{1, 2, 5});  // the second was begun before the disk was full
    j.write({{"n", 6}});
    CHECK(said.size() == 2);
}

TEST_CASE("a jsonl_log on a disk that fills in the midst of several lines leaves out those after",
          "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    std::vector<std::string> said;
    jsonl_log j(
        path, [&](std::string line) { said.push_back(std::move(line)); }, not_by_itself);
    j.write({{"n", 1}});
    j.flush();
    const auto size = std::filesystem::file_size(path);
    const auto write_some = [&](int from) {
        for (int n = from; n < from + 3; ++n) j.write({{"n", n}});
        j.flush();
    };
    {
        const papilio::test::process_limit disk(RLIMIT_FSIZE, size + 10);
        write_some(2);  // of which the first is begun
        write_some(5);
    }
    {
        const papilio::test::process_limit disk(RLIMIT_FSIZE, size + 10);
        j.flush();  // nothing but the rest of a line
    }
    CHECK(said.size() == 1);
    write_some(8);
    REQUIRE(said.size() == 2);
    CHECK(said[1] == "writes to " + path.string() + " again; 5 lines are missing");
    CHECK(numbers_in(path) == std::vector<int>{1, 2, 8, 9, 10});
}

TEST_CASE("a jsonl_log collects lines until they are asked for, or it goes away", "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    {
        jsonl_log j(path, silent, not_by_itself);
        j.write({{"n", 1}});
        j.write({{"n", 2}});
        CHECK(numbers_in(path).empty());
        j.flush();
        CHECK(numbers_in(path) == std::vector<int>{1, 2});
        j.flush();
        j.write({{"n", 3}});
    }
    CHECK(numbers_in(path) == std::vector<int>{1, 2, 3});
}

TEST_CASE("a jsonl_log whose last lines were written long ago writes the next ones at once",
          "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    jsonl_log j(path, silent, at_once);
    j.write({{"n", 1}});
    CHECK(numbers_in(path) == std::vector<int>{1});
    j.write({{"n", 2}});
    CHECK(numbers_in(path) == std::vector<int>{1, 2});
}

TEST_CASE("however little a pipe takes, who reads it finds whole lines of a jsonl_log", "[member]")
{
    const scratch_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    REQUIRE(::fcntl(reader, F_SETPIPE_SZ, 4096) == 4096);
    {
        jsonl_log j(pipe, silent, not_by_itself);
        for (int n = 0; n < 300; ++n) j.write({{"n", n}});
    }
    std::string got(1 << 16, '\0');
    const auto size = ::read(reader, got.data(), got.size());
    ::close(reader);
    REQUIRE(size > 3000);
    CHECK(got[static_cast<std::size_t>(size) - 1] == '\n');
}

TEST_CASE("a jsonl_log that nobody reads from a pipe does not wait", "[member]")
{
    const scratch_folder folder;
    const std::string pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(mentions(problem_of([&] { jsonl_log(pipe, silent); }), "cannot write to " + pipe));
}
