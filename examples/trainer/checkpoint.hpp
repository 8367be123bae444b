#pragma once

#include "checkpoint_folder.hpp"

#include <papilio/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// Writes one checkpoint, which appears in its folder as a whole or not at all: its files are
/// written to a hidden folder, forced to the disk, and renamed to `checkpoint-000007` or the like;
/// then the link `latest` is set to it. After a crash at any time `latest` is the checkpoint
/// before.
class checkpoint_writer {
public:
    using sink = std::function<void(bytes)>;

    /// `in` must outlive the writer.
    explicit checkpoint_writer(checkpoint_folder& in);

    /// Removes the files written so far, unless they were committed.
    ~checkpoint_writer();

    checkpoint_writer(const checkpoint_writer&) = delete;
    checkpoint_writer& operator=(const checkpoint_writer&) = delete;

    /// Adds a file; `produce` passes its content to the sink, in pieces of any size.
    void add(const std::string& name, const std::function<void(const sink&)>& produce);
    void add(const std::string& name, std::string_view content);

    /// Makes the checkpoint the latest, and removes all but the `keep` newest of this run: see
    /// `checkpoint_folder`. Returns its folder.
    std::filesystem::path commit(std::size_t keep = 2);

private:
    struct entry {
        std::uint64_t size = 0;
        std::string sha256;
    };

    checkpoint_folder& folder_;
    std::filesystem::path temporary_;  // empty once committed
    std::map<std::string, entry> entries_;
};

inline constexpr std::uint64_t longest_text = std::uint64_t{1} << 20;

/// The latest checkpoint under `directory`, or `directory` itself when it is a checkpoint. All its
/// files are compared with the sizes and digests in its manifest before any of them is used.
class checkpoint_reader {
public:
    /// Throws a `problem` that names a missing, truncated or damaged file.
    explicit checkpoint_reader(const std::filesystem::path& directory);

    const std::filesystem::path& folder() const { return folder_; }

    bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

    /// The names of its files, but for the manifest. Others may lie beside them.
    const std::vector<std::string>& files() const { return files_; }

    /// The content of a small file: of `longest_text` bytes at most.
    std::string text(const std::string& name) const;

private:
    std::filesystem::path folder_;
    std::vector<std::string> files_;
};

}  // namespace papilio::example
