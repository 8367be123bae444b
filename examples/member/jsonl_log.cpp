#include "jsonl_log.hpp"

#include <trainer/file.hpp>
#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <string_view>
#include <utility>

namespace papilio::example {

std::string as_text(const nlohmann::ordered_json& value, int indent)
{
    return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

namespace {

/// The first of some whole lines, which one system call writes: as many as a pipe takes at once,
/// which hands them to its reader in one piece.
std::string_view first_of(std::string_view lines)
{
    if (lines.size() <= PIPE_BUF) return lines;
    auto end = lines.rfind('\n', PIPE_BUF - 1);
    if (end == std::string_view::npos) end = lines.find('\n');
    return lines.substr(0, end + 1);
}

/// How many bytes could be written; `errno` says why it was not all.
std::size_t write_lines(int descriptor, std::string_view lines)
{
    std::size_t done = 0;
    while (done < lines.size()) {
        const auto some = first_of(lines.substr(done));
        const std::size_t put = write_to(descriptor, some);
        done += put;
        if (put < some.size()) break;
    }
    return done;
}

}  // namespace

jsonl_log::jsonl_log(const std::filesystem::path& path, std::function<void(std::string)> note,
                     clock::duration interval)
    : path_(path), note_(std::move(note)), interval_(interval)
{
    if (path_.empty()) return;
    // Without O_NONBLOCK a pipe that nobody reads would keep this waiting.
    descriptor_ =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_problem(errno, "cannot write to " + path_.string());
}

jsonl_log::~jsonl_log()
{
    if (!kept()) return;
    flush();
    ::close(descriptor_);
}

void jsonl_log::write(nlohmann::ordered_json line)
{
    if (!kept()) return;
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    nlohmann::ordered_json timed = {{"time", now.count()}};
    timed.update(line);
    lines_ += as_text(timed) + '\n';
    if (clock::now() - written_ >= interval_) flush();
}

void jsonl_log::flush()
{
    written_ = clock::now();
    const std::string text = rest_ + std::exchange(lines_, {});
    if (text.empty()) return;
    const std::size_t done = write_lines(descriptor_, text);
    if (done < text.size()) return leave_out_from(done, text, errno);
    rest_.clear();
    const auto missing = std::exchange(left_out_, 0);
    if (full_.ends())
        note_("writes to " + path_.string() + " again; " + std::to_string(missing) +
              " lines are missing");
}

/// Keeps the rest of a line that was begun, which must follow, and none of those after it.
void jsonl_log::leave_out_from(std::size_t written, const std::string& text, int why)
{
    const bool begun = written > 0 ? text[written - 1] != '\n' : !rest_.empty();
    const auto next_line = begun ? text.find('\n', written) + 1 : written;
    rest_ = text.substr(written, next_line - written);
    left_out_ += static_cast<std::uint64_t>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(next_line), text.end(), '\n'));
    if (full_.begins())
        note_("cannot write to " + path_.string() + ": " + std::generic_category().message(why) +
              "; goes on without, and tries again");
}

}  // namespace papilio::example
