#include "prepare.hpp"

#include <trainer/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

/// What somebody else has put there.
std::vector<std::string> strangers_in(const fs::path& folder)
{
    std::vector<std::string> names;
    const bool known = fs::exists(folder / ".lock") || fs::exists(folder / "journal");
    if (known || !fs::is_directory(folder)) return names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    std::erase(names, "lost+found");  // of a file system's own
    std::ranges::sort(names);
    return names;
}

std::string listed(std::vector<std::string> names)
{
    constexpr std::size_t most = 5;
    const auto more = names.size() - std::min(names.size(), most);
    names.resize(names.size() - more);
    return fmt::format("{}{}", fmt::join(names, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

std::unique_ptr<checkpoint_folder> prepare(const fs::path& given, bool resume)
{
    if (given.empty()) return nullptr;
    if (resume && !fs::exists(given))
        throw problem(std::make_error_code(std::errc::no_such_file_or_directory),
                      fmt::format("there is no folder {} to resume from: correct --checkpoint, or "
                                  "make the folder, empty, to begin anew in it",
                                  given.string()));
    const bool there = !locate_checkpoint(given).in_force.empty();
    if (!resume && there)
        throw problem(errc::bad_argument,
                      fmt::format("there is a checkpoint in {} already: add --resume to go on from "
                                  "it, or choose another folder",
                                  given.string()));
    if (const auto strangers = strangers_in(given); resume && !there && !strangers.empty())
        throw problem(errc::bad_argument,
                      fmt::format("there is no checkpoint in {}, which holds {}: correct "
                                  "--checkpoint, or leave out --resume to begin anew",
                                  given.string(), listed(strangers)));
    return std::make_unique<checkpoint_folder>(given);
}

fs::path checkpoint_of(const std::unique_ptr<checkpoint_folder>& kept)
{
    return kept ? kept->in_force() : fs::path();
}

}  // namespace papilio::example
