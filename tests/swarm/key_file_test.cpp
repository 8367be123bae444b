#include <papilio/swarm/key_file.hpp>

#include <papilio/base/error.hpp>

#include "support/scratch_folder.hpp"
#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace pa = papilio;

namespace {

/// A file with the mode of a key's.
std::string private_file(const pa::test::scratch_folder& in, const std::string& name,
                         std::string_view text)
{
    const auto path = in.file(name, text);
    ::chmod(path.c_str(), 0600);
    return path;
}

std::error_code reading_refused(const std::string& path)
{
    return pa::test::thrown_by([&] { pa::read_key_file(path); });
}

}  // namespace

TEST_CASE("a key file is read as it was created, and only its user may do so")
{
    const pa::test::scratch_folder here;
    const std::string path = here.path() / "key.pem";
    CHECK(pa::create_key_file(path, "a secret\n"));
    CHECK(pa::read_key_file(path).get() == "a secret\n");
    struct stat is = {};
    REQUIRE(::stat(path.c_str(), &is) == 0);
    CHECK((is.st_mode & 0777) == 0600);
}

TEST_CASE("a key file that is there is never overwritten, and nothing else is left behind")
{
    const pa::test::scratch_folder here;
    const std::string path = here.path() / "key.pem";
    REQUIRE(pa::create_key_file(path, "first"));
    CHECK_FALSE(pa::create_key_file(path, "second"));
    CHECK(pa::read_key_file(path).get() == "first");
    std::filesystem::create_directory(here.path() / "folder");
    CHECK_FALSE(pa::create_key_file(here.path() / "folder", "third"));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(here.path()))
        ++files;
    CHECK(files == 2);
}

TEST_CASE("of sixteen that create a key file at the same time one does, and all read its text")
{
    const pa::test::scratch_folder here;
    const std::string path = here.path() / "key.pem";
    std::atomic<int> made = 0;
    std::vector<std::string> read(16);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < read.size(); ++i)
        threads.emplace_back([&, i] {
            made += pa::create_key_file(path, "text " + std::to_string(i));
            read[i] = pa::read_key_file(path).get();
        });
    for (auto& t : threads) t.join();
    CHECK(made == 1);
    for (const auto& text : read) CHECK(text == read[0]);
}

TEST_CASE("a key file that others may read or write is refused")
{
    const pa::test::scratch_folder here;
    const auto path = private_file(here, "key.pem", "text");
    CHECK_FALSE(reading_refused(path));
    for (const mode_t mode : {0640u, 0604u, 0620u, 0601u, 0777u}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(reading_refused(path) == pa::errc::bad_argument);
    }
}

TEST_CASE("a link, a pipe, a folder, a device and a large file are no key files")
{
    const pa::test::scratch_folder here;
    const auto path = private_file(here, "key.pem", "text");
    std::filesystem::create_symlink(path, here.path() / "link");
    CHECK(reading_refused(here.path() / "link") == pa::errc::bad_argument);
    REQUIRE(::mkfifo((here.path() / "pipe").c_str(), 0600) == 0);
    CHECK(reading_refused(here.path() / "pipe") == pa::errc::bad_argument);
    CHECK(reading_refused(here.path()) == pa::errc::bad_argument);
    CHECK(reading_refused("/dev/null") == pa::errc::bad_argument);
    CHECK_FALSE(reading_refused(private_file(here, "full", std::string(4096, 'x'))));
    CHECK(reading_refused(private_file(here, "large", std::string(4097, 'x'))) ==
          pa::errc::bad_argument);
}

TEST_CASE("who cannot read or create a key file is told what the system says")
{
    const pa::test::scratch_folder here;
    CHECK(reading_refused(here.path() / "none") == std::errc::no_such_file_or_directory);
    CHECK(pa::test::thrown_by([&] { pa::create_key_file(here.path() / "none/key.pem", "text"); }) ==
          std::errc::no_such_file_or_directory);
}

TEST_CASE("a secret text keeps its contents when it moves")
{
    pa::secret_text one("one");
    pa::secret_text other(std::move(one));
    CHECK(other.get() == "one");
    other = pa::secret_text("another");
    CHECK(other.get() == "another");
    other.shorten(2);
    CHECK(other.get() == "an");
}
