#include "jsonl_log.hpp"

#include <trainer/file.hpp>
#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace papilio::example {

std::string as_text(const nlohmann::ordered_json& value, int indent)
{
    return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

jsonl_log::jsonl_log(const std::filesystem::path& path, std::function<void(std::string)> note)
    : path_(path), note_(std::move(note))
{
    if (path_.empty()) return;
    // Without O_NONBLOCK a pipe that nobody reads would keep this waiting.
    descriptor_ =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_problem(errno, "cannot write to " + path_.string());
}

jsonl_log::~jsonl_log()
{
    if (descriptor_ >= 0) ::close(descriptor_);
}

void jsonl_log::write(nlohmann::ordered_json line)
{
    if (!kept()) return;
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    nlohmann::ordered_json timed = {{"time", now.count()}};
    timed.update(line);
    const std::string text = rest_ + as_text(timed) + '\n';
    const std::size_t done = write_to(descriptor_, text);
    if (done == text.size()) {
        rest_.clear();
        const auto missing = std::exchange(left_out_, 0);
        if (full_.ends())
            note_("writes to " + path_.string() + " again; " + std::to_string(missing) +
                  " lines are missing");
        return;
    }
    const int why = errno;
    const bool begun = done > rest_.size();  // this line, the rest of which must follow
    if (!begun) ++left_out_;
    rest_ = begun ? text.substr(done) : rest_.substr(done);
    if (full_.begins())
        note_("cannot write to " + path_.string() + ": " + std::generic_category().message(why) +
              "; goes on without, and tries again");
}

}  // namespace papilio::example
