#include <validator/journal.hpp>

#include <trainer/support.hpp>

#include "support/process_limit.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace papilio::example;

namespace {

const settled_round second{2, "two", {10, 18446744073709551615u}};

/// A journal of two rounds in `folder`.
std::filesystem::path written(const scratch_folder& folder)
{
    auto path = folder.path() / "journal";
    journal j(path, "a run");
    CHECK_FALSE(j.last());
    j.append({1, "one", {10, 20}});
    j.append(second);
    return path;
}

}  // namespace

TEST_CASE("a journal remembers the last round that was settled", "[validator]")
{
    const scratch_folder folder;
    const auto path = written(folder);
    journal again(path, "a run");
    CHECK(again.last() == second);
    again.append({3, "three", {}});
    CHECK(journal(path, "a run").last() == settled_round{3, "three", {}});
    CHECK_FALSE(journal({}, "a run").last());
}

TEST_CASE("a journal whose last line was cut anywhere remembers the one before", "[validator]")
{
    const scratch_folder folder;
    const auto path = written(folder);
    const auto whole = content_of(path);
    const auto first_line = whole.find('\n') + 1;
    for (std::size_t size = first_line; size < whole.size(); ++size) {
        std::ofstream(path, std::ios::binary) << whole.substr(0, size);
        journal cut(path, "a run");
        REQUIRE(cut.last() == settled_round{1, "one", {10, 20}});
        cut.append(second);
        REQUIRE(content_of(path) == whole);
    }
    // As a disk may leave it that wrote the length and not the content.
    std::ofstream(path, std::ios::binary)
        << whole.substr(0, first_line) << std::string(9, '\0') << '\n';
    CHECK(journal(path, "a run").last() == settled_round{1, "one", {10, 20}});
}

TEST_CASE("a journal that is another run's, or damaged in the midst, is refused", "[validator]")
{
    const scratch_folder folder;
    const auto path = written(folder);
    CHECK(mentions(problem_of([&] { journal(path, "b run"); }), "is of another run"));
    auto damaged = content_of(path);
    damaged[2] = '?';
    std::ofstream(path, std::ios::binary) << damaged;
    CHECK(mentions(problem_of([&] { journal(path, "a run"); }), "line 1, is damaged"));
    CHECK(mentions(problem_of([&] { journal("/proc/x", "a run"); }), "cannot write to /proc/x"));
}

TEST_CASE("a journal that cannot be read is refused, and not begun anew", "[validator]")
{
    const scratch_folder folder;
    const auto path = written(folder);
    const auto whole = content_of(path);
    {
        const papilio::test::process_limit no_descriptors(RLIMIT_NOFILE, 0);
        CHECK(
            mentions(problem_of([&] { journal(path, "a run"); }), "cannot read " + path.string()));
    }
    std::ofstream(path, std::ios::binary) << R"({"settled":1,"digest":"one","members":[],"run":7})"
                                          << "\n";
    CHECK(mentions(problem_of([&] { journal(path, "a run"); }),
                   path.string() + ", line 1, is of another run"));
}

TEST_CASE("a journal that cannot be written says so, and tries again", "[validator]")
{
    const scratch_folder folder;
    const auto path = written(folder);
    const auto whole = content_of(path);
    journal full(path, "a run");
    {
        const papilio::test::process_limit full_disk(RLIMIT_FSIZE, whole.size() + 10);
        for (int i = 0; i < 2; ++i)
            CHECK(mentions(problem_of([&] { full.append({3, "three", {}}); }), "cannot write to"));
        CHECK(journal(path, "a run").last() == second);
    }
    full.append({4, "four", {}});
    CHECK(journal(path, "a run").last() == settled_round{4, "four", {}});
    CHECK(mentions(problem_of([] { journal("/dev/full", "a run"); }), "/dev/full is no file"));
}
