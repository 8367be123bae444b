#pragma once

#include <papilio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace papilio::example {

/// An open file, closed by the destructor. Failures throw a `problem` that names the path.
class file {
public:
    enum class mode { read, create };

    /// Opens an existing file, or creates one that must not exist yet. Does not wait, whatever is
    /// there: who opens a pipe is told so by `size`.
    file(std::filesystem::path path, mode how);
    ~file();
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    const std::filesystem::path& path() const { return path_; }

    /// Throws a `problem` where this is no regular file.
    std::uint64_t size() const;

    /// Fills `into` from `offset`. Throws a `problem` if the file ends before.
    void read(std::uint64_t offset, mutable_bytes into) const;

    /// Appends all of `data`.
    void write(bytes data);

    /// Returns when the data is on the disk.
    void sync();

private:
    std::filesystem::path path_;
    int descriptor_;
};

/// How much of `text` could be written to what is open; `errno` says why it was not all.
std::size_t write_to(int descriptor, std::string_view text);

/// Writes a file that readers see whole or not at all. Throws a `problem`.
void write_atomically(const std::filesystem::path& path, std::string_view content);

/// Returns when the entries of `directory` (new, renamed, removed files) are on the disk.
void sync_directory(const std::filesystem::path& directory);

}  // namespace papilio::example
