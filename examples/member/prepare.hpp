#pragma once

#include <trainer/checkpoint_folder.hpp>
#include <trainer/trainer.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace papilio::example {

/// Limits the number of threads, and opens the folder of --checkpoint before the program loads
/// anything large; null without one. With --resume there must be a checkpoint, or the folder must
/// be empty but for what this program has left there; without, there must be none. Throws a
/// `problem` that says what was found and what to change.
std::unique_ptr<checkpoint_folder> prepare(const std::filesystem::path& checkpoint, bool resume,
                                           int threads);

/// The checkpoint to continue from; empty: there is none.
std::filesystem::path checkpoint_of(const std::unique_ptr<checkpoint_folder>& kept);

/// What a user should know of how the data and the model fit; empty: nothing.
std::string remark_on_data(const trainer& t, const std::string& preset);

}  // namespace papilio::example
