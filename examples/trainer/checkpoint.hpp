#pragma once

#include <papilio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace papilio::example {

/// Writes one checkpoint, which appears under `directory` as a whole or not at all: its files are
/// written to a hidden folder, forced to the disk, and renamed to `checkpoint-000007` or the like;
/// then the link `latest` is swapped to it. A crash at any moment leaves the one before in force.
class checkpoint_writer {
public:
    using sink = std::function<void(bytes)>;

    /// Makes `directory` if need be, and locks it: throws a `problem` while another process writes
    /// there.
    explicit checkpoint_writer(const std::filesystem::path& directory);

    /// Removes what was written, unless it was committed.
    ~checkpoint_writer();

    checkpoint_writer(const checkpoint_writer&) = delete;
    checkpoint_writer& operator=(const checkpoint_writer&) = delete;

    /// Adds a file; `produce` hands its content to the sink, in pieces of any size.
    void add(const std::string& name, const std::function<void(const sink&)>& produce);
    void add(const std::string& name, std::string_view content);

    /// Puts the checkpoint in force and removes all but the `keep` newest. Returns its folder.
    std::filesystem::path commit(std::size_t keep = 2);

private:
    struct entry {
        std::uint64_t size = 0;
        std::string sha256;
    };

    std::filesystem::path directory_;
    int lock_;
    std::filesystem::path temporary_;  // empty once committed
    std::map<std::string, entry> entries_;
};

/// The checkpoint in force under `directory`, or `directory` itself when it is a checkpoint. All
/// its files are compared with the sizes and digests in its manifest before any of them is used.
class checkpoint_reader {
public:
    /// Throws a `problem` saying which file is missing, too short or damaged.
    explicit checkpoint_reader(const std::filesystem::path& directory);

    const std::filesystem::path& folder() const { return folder_; }

    /// Content of a small file.
    std::string text(const std::string& name) const;

private:
    std::filesystem::path folder_;
};

/// Whether a checkpoint was ever put in force under `directory`.
bool has_checkpoint(const std::filesystem::path& directory);

}  // namespace papilio::example
