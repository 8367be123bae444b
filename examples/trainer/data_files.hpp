#pragma once

#include <string>
#include <vector>

namespace papilio::example {

/// The files that `paths` stand for, in order. Each may be a file, a pattern as of the shell, or a
/// directory: its shards, or else its `*.txt` files, by name. Throws a `problem`.
std::vector<std::string> data_files(const std::vector<std::string>& paths);

/// Whether a file is a shard of tokens, by its name: `*.bin`.
bool is_shard(const std::string& path);

}  // namespace papilio::example
