#include <member/prepare.hpp>

#include <trainer/checkpoint.hpp>
#include <trainer/support.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

std::string refusal(const fs::path& folder, bool resume)
{
    return problem_of([&] { prepare(folder, resume); });
}

void save(const fs::path& path)
{
    checkpoint_folder folder(path);
    checkpoint_writer(folder).commit();
}

}  // namespace

TEST_CASE("resuming from a folder that is not there is refused", "[member]")
{
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "kpt";
    CHECK(refusal(folder, true) ==
          "there is no folder " + folder.string() +
              " to resume from: correct --checkpoint, or make the folder, empty, to begin anew in "
              "it");
    CHECK_FALSE(fs::exists(folder));
    CHECK(refusal(folder, false).empty());
}

TEST_CASE("resuming in an empty folder begins anew, and so does one that has got no further",
          "[member]")
{
    const scratch_folder scratch;
    CHECK(checkpoint_of(prepare(scratch.path(), true)).empty());
    scratch.file("metrics.jsonl", "");
    CHECK(refusal(scratch.path(), true).empty());
}

TEST_CASE("resuming in the root of a new file system begins anew", "[member]")
{
    const scratch_folder scratch;
    fs::create_directory(scratch.path() / "lost+found");
    CHECK(refusal(scratch.path(), true).empty());
}

TEST_CASE("resuming in a folder of other things is refused, and names them", "[member]")
{
    const scratch_folder scratch;
    for (const char* name : {"a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt"})
        scratch.file(name, "");
    for (int i = 0; i < 2; ++i)
        CHECK(refusal(scratch.path(), true) ==
              "there is no checkpoint in " + scratch.path().string() +
                  ", which holds a.txt, b.txt, c.txt, d.txt, e.txt and 1 more: correct "
                  "--checkpoint, or leave out --resume to begin anew");
}

TEST_CASE("a checkpoint is gone on from only if that is asked for", "[member]")
{
    const scratch_folder scratch;
    const fs::path folder = fs::canonical(scratch.path());
    save(folder);
    CHECK(checkpoint_of(prepare(folder, true)) == folder / "checkpoint-000001");
    CHECK(checkpoint_of(prepare(folder / "latest", true)) == folder / "checkpoint-000001");
    CHECK(mentions(refusal(folder, false), "add --resume"));
    CHECK(mentions(refusal(folder / "latest", false), "add --resume"));
    CHECK(checkpoint_of(prepare({}, true)).empty());
}
