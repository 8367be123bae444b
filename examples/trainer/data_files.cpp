#include "data_files.hpp"

#include "problem.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_in(const fs::path& directory)
{
    std::vector<std::string> shards;
    std::vector<std::string> texts;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        if (is_shard(entry.path().string())) shards.push_back(entry.path().string());
        if (entry.path().extension() == ".txt") texts.push_back(entry.path().string());
    }
    std::vector<std::string>& chosen = shards.empty() ? texts : shards;
    if (chosen.empty())
        throw problem(errc::bad_argument,
                      "the data directory " + directory.string() + " holds no *.bin or *.txt file");
    std::sort(chosen.begin(), chosen.end());
    return std::move(chosen);
}

std::vector<std::string> files_matching(const std::string& pattern)
{
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    std::vector<std::string> files;
    for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i)
        files.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (files.empty())
        throw problem(std::make_error_code(std::errc::no_such_file_or_directory),
                      "no data file matches " + pattern);
    return files;
}

}  // namespace

bool is_shard(const std::string& path)
{
    return fs::path(path).extension() == ".bin";
}

std::vector<std::string> data_files(const std::vector<std::string>& paths)
{
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code ignored;
        std::vector<std::string> found{path};
        if (fs::is_directory(path, ignored))
            found = files_in(path);
        else if (!fs::exists(path, ignored) && path.find_first_of("*?[") != std::string::npos)
            found = files_matching(path);
        files.insert(files.end(), found.begin(), found.end());
    }
    if (files.empty()) throw problem(errc::bad_argument, "no data: name at least one text file");
    return files;
}

}  // namespace papilio::example
