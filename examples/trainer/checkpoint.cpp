#include "checkpoint.hpp"

#include "digest.hpp"
#include "file.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "checkpoint-";
constexpr std::string_view temporary_prefix = ".writing-";

/// The number in `checkpoint-000007`; 0 for any other name.
std::uint64_t number_of(const std::string& name)
{
    std::uint64_t number = 0;
    if (name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    return number;
}

std::string name_of(std::uint64_t number)
{
    std::string digits = std::to_string(number);
    if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
    return std::string(prefix) + digits;
}

/// Checkpoints under `directory`, oldest first.
std::vector<std::uint64_t> numbers_in(const fs::path& directory)
{
    std::vector<std::uint64_t> numbers;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory))
        if (const auto number = number_of(entry.path().filename().string()); number > 0)
            numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

int locked(const fs::path& directory)
{
    std::error_code failure;
    fs::create_directories(directory, failure);
    if (failure)
        throw problem(failure,
                      "cannot create the folder " + directory.string() + ": " + failure.message());
    const fs::path path = directory / ".lock";
    const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) throw_system_problem(errno, "cannot create " + path.string());
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock);
        throw problem(std::make_error_code(std::errc::device_or_resource_busy),
                      "another process is writing a checkpoint to " + directory.string() +
                          ": give each process a folder of its own");
    }
    return lock;
}

/// Removes what processes that were killed while they wrote have left. Call it under the lock.
void remove_leftovers(const fs::path& directory)
{
    std::vector<fs::path> leftovers;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory))
        if (entry.path().filename().string().starts_with(temporary_prefix))
            leftovers.push_back(entry.path());
    for (const fs::path& leftover : leftovers) fs::remove_all(leftover);
}

std::string digest_of(const file& from)
{
    sha256 digest;
    std::vector<std::byte> piece(std::size_t{1} << 20);
    const std::uint64_t size = from.size();
    for (std::uint64_t at = 0; at < size; at += piece.size()) {
        const auto some = std::span(piece).first(std::min<std::uint64_t>(piece.size(), size - at));
        from.read(at, some);
        digest.update(some);
    }
    return digest.hex();
}

void verify(const fs::path& path, std::uint64_t size, const std::string& expected)
{
    const file opened(path, file::mode::read);
    if (opened.size() != size)
        throw problem(errc::bad_message, path.string() + " is damaged: it has " +
                                             std::to_string(opened.size()) + " bytes instead of " +
                                             std::to_string(size));
    if (digest_of(opened) != expected)
        throw problem(errc::bad_message,
                      path.string() + " is damaged: its SHA-256 is not the one in its manifest");
}

}  // namespace

checkpoint_writer::checkpoint_writer(const fs::path& directory)
    : directory_(directory), lock_(locked(directory))
{
    try {
        remove_leftovers(directory_);
        temporary_ = directory_ / (std::string(temporary_prefix) + std::to_string(::getpid()));
        fs::create_directory(temporary_);
    } catch (...) {
        ::close(lock_);
        throw;
    }
}

checkpoint_writer::~checkpoint_writer()
{
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
    ::close(lock_);
}

void checkpoint_writer::add(const std::string& name,
                            const std::function<void(const sink&)>& produce)
{
    file created(temporary_ / name, file::mode::create);
    sha256 digest;
    entry about;
    produce([&](bytes piece) {
        created.write(piece);
        digest.update(piece);
        about.size += piece.size();
    });
    created.sync();
    about.sha256 = digest.hex();
    entries_[name] = about;
}

void checkpoint_writer::add(const std::string& name, std::string_view content)
{
    add(name, [&](const sink& put) { put(std::as_bytes(std::span(content))); });
}

fs::path checkpoint_writer::commit(std::size_t keep)
{
    PAPILIO_CHECK(!temporary_.empty() && keep > 0, "a checkpoint is committed once, and kept");
    nlohmann::json files;
    for (const auto& [name, about] : entries_)
        files[name] = {{"bytes", about.size}, {"sha256", about.sha256}};
    add("manifest.json", nlohmann::json{{"files", files}}.dump(2) + "\n");
    sync_directory(temporary_);

    std::vector<std::uint64_t> numbers = numbers_in(directory_);
    numbers.push_back(numbers.empty() ? 1 : numbers.back() + 1);
    const fs::path name = name_of(numbers.back());
    fs::rename(std::exchange(temporary_, {}), directory_ / name);
    sync_directory(directory_);

    const fs::path link = directory_ / ".latest";
    fs::remove(link);
    fs::create_directory_symlink(name, link);
    fs::rename(link, directory_ / "latest");
    sync_directory(directory_);

    for (std::size_t i = 0; i + keep < numbers.size(); ++i)
        fs::remove_all(directory_ / name_of(numbers[i]));
    return directory_ / name;
}

checkpoint_reader::checkpoint_reader(const fs::path& directory)
{
    const bool itself = fs::exists(directory / "manifest.json");
    if (!itself && !has_checkpoint(directory))
        throw problem(std::make_error_code(std::errc::no_such_file_or_directory),
                      "there is no checkpoint in " + directory.string());
    // Resolved once: the link may move while the files are read.
    folder_ = itself ? directory : directory / fs::read_symlink(directory / "latest");
    std::map<std::string, std::pair<std::uint64_t, std::string>> files;
    try {
        const auto manifest = nlohmann::json::parse(text("manifest.json"));
        for (const auto& [name, about] : manifest.at("files").items())
            files[name] = {about.at("bytes").get<std::uint64_t>(),
                           about.at("sha256").get<std::string>()};
    } catch (const nlohmann::json::exception&) {
        throw problem(errc::bad_message, (folder_ / "manifest.json").string() + " is damaged");
    }
    for (const auto& [name, about] : files) verify(folder_ / name, about.first, about.second);
}

std::string checkpoint_reader::text(const std::string& name) const
{
    const file opened(folder_ / name, file::mode::read);
    if (opened.size() > (1 << 20))
        throw problem(errc::bad_message, opened.path().string() + " is too large to be genuine");
    std::string content(opened.size(), '\0');
    opened.read(0, std::as_writable_bytes(std::span(content)));
    return content;
}

bool has_checkpoint(const fs::path& directory)
{
    return fs::is_symlink(directory / "latest");
}

}  // namespace papilio::example
