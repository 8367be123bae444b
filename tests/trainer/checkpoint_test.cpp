#include <trainer/checkpoint.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

fs::path save(checkpoint_folder& folder, const std::string& content, std::size_t keep = 2)
{
    checkpoint_writer writer(folder);
    writer.add("a.txt", content);
    return writer.commit(keep);
}

/// As a process does that begins, saves once, and ends.
fs::path save(const fs::path& path, const std::string& content)
{
    checkpoint_folder folder(path);
    return save(folder, content);
}

std::string saved(const fs::path& folder)
{
    return checkpoint_reader(folder).text("a.txt");
}

}  // namespace

TEST_CASE("the newest checkpoint is in force and older ones go", "[trainer]")
{
    const scratch_folder scratch;
    const fs::path folder = scratch.path() / "deep" / "run";
    CHECK(problem_of([&] { saved(folder); }) == "there is no checkpoint in " + folder.string());
    for (const char* content : {"one", "two", "three"}) {
        save(folder, content);
        CHECK(saved(folder) == content);
    }
    CHECK_FALSE(fs::exists(folder / "checkpoint-000001"));
    CHECK(checkpoint_reader(folder / "checkpoint-000002").text("a.txt") == "two");
    CHECK(fs::read_symlink(folder / "latest") == "checkpoint-000003");
}

TEST_CASE("a process that is killed while it writes leaves the checkpoint before in force",
          "[trainer]")
{
    const scratch_folder folder;
    save(folder.path(), "old");
    const pid_t child = ::fork();
    if (child == 0) {
        checkpoint_folder kept(folder.path());
        checkpoint_writer writer(kept);
        writer.add("a.txt", "new");
        ::_exit(0);  // as a kill would: no destructor runs, nothing is renamed
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(status == 0);
    const fs::path leftover = folder.path() / (".writing-" + std::to_string(child));
    CHECK(content_of(leftover / "a.txt") == "new");
    CHECK(saved(folder.path()) == "old");
    save(folder.path(), "newer");
    CHECK(saved(folder.path()) == "newer");
    CHECK_FALSE(fs::exists(leftover));
}

TEST_CASE("a checkpoint renamed but not yet linked is not in force", "[trainer]")
{
    const scratch_folder folder;
    save(folder.path(), "old");
    fs::copy(folder.path() / "checkpoint-000001", folder.path() / "checkpoint-000002");
    folder.file("checkpoint-000002/a.txt", "unfinished");
    fs::create_symlink("checkpoint-000002", folder.path() / ".latest");
    CHECK(saved(folder.path()) == "old");
    save(folder.path(), "newer");
    CHECK(saved(folder.path()) == "newer");
}

TEST_CASE("a checkpoint that is given up leaves no trace", "[trainer]")
{
    const scratch_folder folder;
    save(folder.path(), "old");
    {
        checkpoint_folder kept(folder.path());
        checkpoint_writer writer(kept);
        writer.add("a.txt", "new");
    }
    CHECK(saved(folder.path()) == "old");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 3);  // lock, link, old one
}

TEST_CASE(
    "two processes cannot keep checkpoints in one folder, and the lock of a killed one is gone",
    "[trainer]")
{
    const scratch_folder folder;
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const checkpoint_folder kept(folder.path());
        [[maybe_unused]] const auto told = ::write(ready[1], "", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(problem_of([&] { checkpoint_folder second(folder.path()); }) ==
          "another process keeps its checkpoints in " + folder.path().string() +
              ": give each process a folder of its own");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(problem_of([&] { checkpoint_folder second(folder.path()); }).empty());
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a checkpoint goes by its own folder, too, and new ones are kept beside it", "[trainer]")
{
    const scratch_folder scratch;
    const fs::path folder = fs::canonical(scratch.path());
    for (const char* content : {"one", "two"}) save(folder, content);
    CHECK(locate_checkpoint(folder / "latest").in_force == folder / "checkpoint-000002");
    CHECK(save(folder / "latest", "three") == folder / "checkpoint-000003");
    CHECK(save(folder / "checkpoint-000002", "four") == folder / "checkpoint-000004");
    CHECK(saved(folder) == "four");
}

TEST_CASE("only checkpoints that a run wrote, or came with the one it continues, are removed",
          "[trainer]")
{
    const scratch_folder scratch;
    const fs::path folder = fs::canonical(scratch.path());
    const auto there = [&](const char* name) { return fs::exists(folder / name); };
    for (const char* content : {"one", "two", "three"}) save(folder, content);
    CHECK_FALSE(there("checkpoint-000001"));
    fs::copy(folder / "checkpoint-000003", folder / "checkpoint-000003-mine");

    checkpoint_folder from_older(folder / "checkpoint-000002");
    for (const char* content : {"four", "five", "six"}) save(from_older, content);
    CHECK_FALSE(there("checkpoint-000002"));
    CHECK(there("checkpoint-000003"));  // which came after the one continued
    CHECK(there("checkpoint-000003-mine"));
    CHECK_FALSE(there("checkpoint-000004"));
    CHECK(there("checkpoint-000005"));
    CHECK(saved(folder) == "six");
}

TEST_CASE("a checkpoint of another run that lies under an older one's name is never removed",
          "[trainer]")
{
    const scratch_folder scratch;
    const fs::path ours = scratch.path() / "ours", theirs = scratch.path() / "theirs";
    for (const char* content : {"one", "two"}) save(theirs, content);
    for (const char* content : {"three", "four"}) save(ours, content);
    fs::remove_all(ours / "checkpoint-000001");
    fs::copy(theirs / "checkpoint-000001", ours / "checkpoint-000001");
    for (const char* content : {"five", "six", "seven"}) save(ours, content);
    CHECK(fs::exists(ours / "checkpoint-000001"));
    CHECK_FALSE(fs::exists(ours / "checkpoint-000002"));
    CHECK(saved(ours) == "seven");
}

TEST_CASE("a checkpoint that cannot be put in force is gone, and the one before stays", "[trainer]")
{
    const scratch_folder scratch;
    checkpoint_folder folder(scratch.path());
    save(folder, "one");
    fs::create_directories(scratch.path() / ".latest" / "in the way");
    CHECK_THROWS(save(folder, "two"));
    CHECK(saved(scratch.path()) == "one");
    CHECK_FALSE(fs::exists(scratch.path() / "checkpoint-000002"));
    fs::remove_all(scratch.path() / ".latest");
    CHECK(save(folder, "three").filename() == "checkpoint-000002");
}

TEST_CASE("what looks like a checkpoint and is none is told apart", "[trainer]")
{
    const scratch_folder scratch;
    const fs::path folder = fs::canonical(scratch.path());
    const auto refused = [&] { return problem_of([&] { locate_checkpoint(folder); }); };
    CHECK(locate_checkpoint(folder).in_force.empty());
    CHECK(locate_checkpoint(folder / "none").in_force.empty());
    for (const char* content : {"one", "two"}) save(folder, content);
    SECTION("a folder copied without its link")
    {
        fs::remove(folder / "latest");
        CHECK(refused() ==
              folder.string() +
                  " holds checkpoint-000001, checkpoint-000002, but no link `latest` to "
                  "the one in force: to go on from one of its checkpoints, give that "
                  "one's own folder");
    }
    SECTION("a link that leads nowhere")
    {
        fs::remove_all(folder / "checkpoint-000002");
        CHECK(mentions(refused(),
                       "has a link `latest` to checkpoint-000002, which is no checkpoint, "
                       "and holds checkpoint-000001: to go on"));
    }
    SECTION("a copy of what the link led to, in its place")
    {
        fs::remove(folder / "latest");
        fs::copy(folder / "checkpoint-000002", folder / "latest");
        CHECK(mentions(refused(), "latest is no link"));
        CHECK(mentions(problem_of([&] { locate_checkpoint(folder / "latest"); }), "rename it to"));
    }
    SECTION("a model as transformers saves it")
    {
        const scratch_folder other;
        other.file("config.json", "{}");
        other.file("model.safetensors", "");
        CHECK(mentions(problem_of([&] { locate_checkpoint(other.path()); }),
                       "holds a model as transformers saves it, and no checkpoint: begin with its "
                       "weights by --init"));
    }
    SECTION("a file")
    {
        CHECK(mentions(problem_of([&] { locate_checkpoint(folder / "latest" / "a.txt"); }),
                       "is no folder"));
    }
}

TEST_CASE("a damaged checkpoint is refused with the file's name", "[trainer]")
{
    const scratch_folder folder;
    save(folder.path(), "content");
    const auto damaged = [&](const std::string& file) {
        const std::string sentence = problem_of([&] { saved(folder.path()); });
        CHECK(mentions(sentence, (folder.path() / "checkpoint-000001" / file).string()));
        return sentence;
    };
    folder.file("checkpoint-000001/a.txt", "conten");
    CHECK(mentions(damaged("a.txt"), "it has 6 bytes instead of 7"));
    folder.file("checkpoint-000001/a.txt", "Content");
    CHECK(mentions(damaged("a.txt"), "its SHA-256 is not the one in its manifest"));
    fs::remove(folder.path() / "checkpoint-000001/a.txt");
    CHECK(mentions(damaged("a.txt"), "No such file or directory"));
    folder.file("checkpoint-000001/manifest.json", "{\"files\": 3}");
    CHECK(mentions(damaged("manifest.json"), "is damaged"));
    folder.file("checkpoint-000001/manifest.json", "{");
    CHECK(mentions(damaged("manifest.json"), "is damaged"));
}

TEST_CASE("a folder that cannot be made is reported", "[trainer]")
{
    const scratch_folder folder;
    const std::string in_the_way = folder.file("file", "");
    CHECK(mentions(problem_of([&] { checkpoint_folder kept(in_the_way + "/run"); }),
                   "cannot create the folder " + in_the_way + "/run: Not a directory"));
}
