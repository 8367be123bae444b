#pragma once

#include <papilio/base/bytes.hpp>

#include <cstdint>
#include <filesystem>

namespace papilio::example {

/// An open file, closed by the destructor. Failures throw a `problem` that names the path.
class file {
public:
    enum class mode { read, create };

    /// Opens an existing file, or creates one that must not exist yet.
    file(std::filesystem::path path, mode how);
    ~file();
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    const std::filesystem::path& path() const { return path_; }
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

/// Returns when the entries of `directory` (new, renamed, removed files) are on the disk.
void sync_directory(const std::filesystem::path& directory);

}  // namespace papilio::example
