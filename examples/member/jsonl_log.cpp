#include "jsonl_log.hpp"

#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <chrono>

namespace papilio::example {

std::string as_text(const nlohmann::ordered_json& value, int indent)
{
    return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

jsonl_log::jsonl_log(const std::filesystem::path& path) : path_(path)
{
    if (path_.empty()) return;
    errno = 0;
    file_.open(path_, std::ios::app);
    if (!file_) throw_system_problem(errno, "cannot write to " + path_.string());
}

void jsonl_log::write(nlohmann::ordered_json line)
{
    if (!kept()) return;
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    nlohmann::ordered_json timed = {{"time", now.count()}};
    timed.update(line);
    file_ << as_text(timed) << std::endl;
    if (!file_) throw_system_problem(errno, "cannot write to " + path_.string());
}

}  // namespace papilio::example
