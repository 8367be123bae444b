#include "checkpoint.hpp"

#include "digest.hpp"
#include "file.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <span>
#include <vector>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_prefix = ".writing-";

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

checkpoint_writer::checkpoint_writer(checkpoint_folder& in) : folder_(in)
{
    remove_leftovers(in.path());
    const fs::path own = in.path() / (std::string(temporary_prefix) + std::to_string(::getpid()));
    fs::create_directory(own);
    temporary_ = own;
}

checkpoint_writer::~checkpoint_writer()
{
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
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
    PAPILIO_CHECK(!temporary_.empty(), "a checkpoint is committed once");
    nlohmann::json files;
    for (const auto& [name, about] : entries_)
        files[name] = {{"bytes", about.size}, {"sha256", about.sha256}};
    add("manifest.json", nlohmann::json{{"files", files}, {"kept", folder_.own()}}.dump(2) + "\n");
    sync_directory(temporary_);
    const fs::path taken = folder_.take(temporary_, keep);
    temporary_.clear();
    return taken;
}

checkpoint_reader::checkpoint_reader(const fs::path& directory)
    : folder_(locate_checkpoint(directory).in_force)
{
    // Located once: the link may move while the files are read.
    if (folder_.empty())
        throw problem(std::make_error_code(std::errc::no_such_file_or_directory),
                      "there is no checkpoint in " + directory.string());
    std::map<std::string, std::pair<std::uint64_t, std::string>> files;
    try {
        const auto manifest = nlohmann::json::parse(text("manifest.json"));
        for (const auto& [name, about] : manifest.at("files").items())
            files[name] = {about.at("bytes").get<std::uint64_t>(),
                           about.at("sha256").get<std::string>()};
    } catch (const nlohmann::json::exception&) {
        throw problem(errc::bad_message, (folder_ / "manifest.json").string() + " is damaged");
    }
    for (const auto& [name, about] : files) {
        verify(folder_ / name, about.first, about.second);
        files_.push_back(name);
    }
}

std::string checkpoint_reader::text(const std::string& name) const
{
    const file opened(folder_ / name, file::mode::read);
    if (opened.size() > longest_text)
        throw problem(errc::bad_message, opened.path().string() + " is too large to be genuine");
    std::string content(opened.size(), '\0');
    opened.read(0, std::as_writable_bytes(std::span(content)));
    return content;
}

}  // namespace papilio::example
