#include <trainer/checkpoint.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <string>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

void save(const fs::path& folder, const std::string& content, std::size_t keep = 2)
{
    checkpoint_writer writer(folder);
    writer.add("a.txt", content);
    writer.commit(keep);
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
    CHECK_FALSE(has_checkpoint(folder));
    CHECK(problem_of([&] { saved(folder); }) == "there is no checkpoint in " + folder.string());
    for (const char* content : {"one", "two", "three"}) {
        save(folder, content);
        CHECK(saved(folder) == content);
    }
    CHECK(has_checkpoint(folder));
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
        checkpoint_writer writer(folder.path());
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
        checkpoint_writer writer(folder.path());
        writer.add("a.txt", "new");
    }
    CHECK(saved(folder.path()) == "old");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 3);  // lock, link, old one
}

TEST_CASE("two processes cannot write checkpoints to one folder", "[trainer]")
{
    const scratch_folder folder;
    const checkpoint_writer first(folder.path());
    CHECK(mentions(problem_of([&] { checkpoint_writer second(folder.path()); }),
                   "another process is writing a checkpoint"));
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
    CHECK(mentions(problem_of([&] { checkpoint_writer writer(in_the_way + "/run"); }),
                   "cannot create the folder " + in_the_way + "/run: Not a directory"));
}
