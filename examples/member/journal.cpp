#include "journal.hpp"

#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <chrono>

namespace papilio::example {

journal::journal(const std::filesystem::path& path) : path_(path)
{
    if (path_.empty()) return;
    errno = 0;
    file_.open(path_, std::ios::app);
    if (!file_) throw_system_problem(errno, "cannot write to " + path_.string());
}

void journal::write(nlohmann::ordered_json line)
{
    if (!kept()) return;
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    nlohmann::ordered_json timed = {{"time", now.count()}};
    timed.update(line);
    // Text from other members may be anything; what is no UTF-8 is replaced.
    const auto replace = nlohmann::ordered_json::error_handler_t::replace;
    file_ << timed.dump(-1, ' ', false, replace) << std::endl;
    if (!file_) throw_system_problem(errno, "cannot write to " + path_.string());
}

}  // namespace papilio::example
