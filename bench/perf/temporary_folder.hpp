#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <cstdlib>

namespace papilio::perf {

/// A temporary folder. The destructor removes it with its content.
class temporary_folder {
public:
    temporary_folder()
    {
        auto name = std::filesystem::temp_directory_path().string() + "/papilio-perf-XXXXXX";
        if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a folder like " + name);
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace papilio::perf
