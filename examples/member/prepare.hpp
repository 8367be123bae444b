#pragma once

#include <trainer/checkpoint_folder.hpp>

#include <filesystem>
#include <memory>

namespace papilio::example {

/// Opens the folder of --checkpoint, before the program loads anything large; null without one.
/// With --resume there must be a checkpoint, or the folder must be empty but for what this program
/// has left there; without, there must be none. Throws a `problem` that says what was found and
/// what to change.
std::unique_ptr<checkpoint_folder> prepare(const std::filesystem::path& checkpoint, bool resume);

/// The checkpoint to continue from; empty: there is none.
std::filesystem::path checkpoint_of(const std::unique_ptr<checkpoint_folder>& kept);

}  // namespace papilio::example
