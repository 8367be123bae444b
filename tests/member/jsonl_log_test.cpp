#include <member/jsonl_log.hpp>

#include <trainer/support.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <sstream>

using namespace papilio::example;

TEST_CASE("a jsonl_log is lines of JSON that begin with the time", "[member]")
{
    const scratch_folder folder;
    const auto path = folder.path() / "lines.jsonl";
    {
        jsonl_log j(path);
        j.write({{"event", "step"}, {"loss", 2.5}});
        j.write({{"name", "not \xff utf-8"}});
    }
    jsonl_log(path).write({{"event", "more"}});

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
    jsonl_log none{std::filesystem::path()};
    CHECK_FALSE(none.kept());
    none.write({{"event", "step"}});
    CHECK(problem_of([] { jsonl_log("/nowhere/at/all"); }) ==
          "cannot write to /nowhere/at/all: No such file or directory");
}
