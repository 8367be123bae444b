#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace papilio::example {

/// Where checkpoints are kept, and the one in force.
struct checkpoint_location {
    std::filesystem::path folder;
    std::filesystem::path in_force;  ///< its own folder; empty: there is none yet
};

/// Finds them. `given` is a folder of checkpoints, whose link `latest` leads to the one in force,
/// or a checkpoint's own folder: then that one is in force, and others are kept beside it. Throws a
/// `problem` that says what was found where something else suggests that a checkpoint was meant:
/// checkpoints without the link, a link that leads nowhere, or a model as transformers saves it.
checkpoint_location locate_checkpoint(const std::filesystem::path& given);

/// A folder in which this process keeps its checkpoints. As long as this lives no other process
/// can: the lock ends with the process, however that ends.
class checkpoint_folder {
public:
    /// Makes the folder if need be. Throws a `problem`: see `locate_checkpoint`; or the folder
    /// cannot be written to, or another process keeps its checkpoints there.
    explicit checkpoint_folder(const std::filesystem::path& given);
    ~checkpoint_folder();
    checkpoint_folder(const checkpoint_folder&) = delete;
    checkpoint_folder& operator=(const checkpoint_folder&) = delete;

    const std::filesystem::path& path() const { return at_.folder; }

    /// The folder of the checkpoint in force; empty: there is none.
    const std::filesystem::path& in_force() const { return at_.in_force; }

    /// A checkpoint that `take` may remove. Another one may come to lie under its name: the digest
    /// of its manifest tells them apart.
    struct own_checkpoint {
        std::uint64_t number = 0;
        std::string manifest;  ///< SHA-256
    };

    /// Those that were taken, and those that the one in force at the begin came with, itself among
    /// them: their manifests' digests by name.
    std::map<std::string, std::string> own() const;

    /// Puts the files in `written`, a folder within this one, in force as the next checkpoint.
    /// Removes the oldest of its own, but for `keep`. Returns the checkpoint's folder. When it
    /// throws, the one before is still in force, and `written` may be gone.
    std::filesystem::path take(const std::filesystem::path& written, std::size_t keep);

private:
    void put_in_force(const std::filesystem::path& name);

    checkpoint_location at_;
    int lock_;
    std::vector<own_checkpoint> own_;  // oldest first
};

}  // namespace papilio::example
