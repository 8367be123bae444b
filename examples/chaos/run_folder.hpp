#pragma once

#include <trainer/problem.hpp>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace papilio::example::chaos {

/// The folder for the files of a run: the one given, or a new one, which is removed with all that
/// is in it unless it is to be kept.
class run_folder {
public:
    /// Throws a `problem` when it cannot be made, or holds the journal of another run.
    explicit run_folder(std::filesystem::path given)
        : path_(std::move(given)), kept_(!path_.empty())
    {
        if (kept_) {
            std::error_code why;
            std::filesystem::create_directories(path_, why);
            if (why) throw problem(why, "cannot make " + path_.string() + ": " + why.message());
            if (std::filesystem::exists(path_ / "journal"))
                throw problem(errc::bad_argument, "there is a run in " + path_.string() +
                                                      " already: choose another --folder");
            return;
        }
        std::string name = std::filesystem::temp_directory_path() / "papilio-chaos-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw_system_problem(errno, "cannot make a folder");
        path_ = name;
    }
    ~run_folder()
    {
        std::error_code ignored;
        if (!kept_) std::filesystem::remove_all(path_, ignored);
    }
    run_folder(const run_folder&) = delete;
    run_folder& operator=(const run_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void keep() { kept_ = true; }

private:
    std::filesystem::path path_;
    bool kept_;
};

}  // namespace papilio::example::chaos
