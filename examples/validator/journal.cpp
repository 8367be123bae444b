#include "journal.hpp"

#include <member/jsonl_log.hpp>
#include <trainer/file.hpp>
#include <trainer/problem.hpp>

#include <papilio/wire/swarm_messages.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

namespace papilio::example {

namespace {

/// Nothing for a line that `append` cannot have written.
std::optional<settled_round> parse(const nlohmann::json& line)
{
    try {
        settled_round s;
        s.round = line.at("settled").get<std::uint32_t>();
        s.digest = line.at("digest").get<std::string>();
        s.members = line.at("members").get<std::vector<std::uint64_t>>();
        if (s.round > wire::max_rounds || s.members.size() > wire::max_members) return {};
        return s;
    } catch (const nlohmann::json::exception&) {
        return {};
    }
}

}  // namespace

journal::journal(std::filesystem::path path, std::string run)
    : path_(std::move(path)), run_(std::move(run))
{
    if (path_.empty()) return;
    if (std::filesystem::exists(path_) && !std::filesystem::is_regular_file(path_))
        throw problem(errc::bad_argument, path_.string() + " is no file: the journal needs one");
    read();
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw_system_problem(errno, "cannot write to " + path_.string());
    sync_directory(path_.has_parent_path() ? path_.parent_path() : ".");
}

journal::~journal()
{
    if (file_ >= 0) ::close(file_);
}

void journal::read()
{
    if (!std::filesystem::exists(path_)) return;
    errno = 0;
    std::ifstream from(path_, std::ios::binary);
    if (!from) throw_system_problem(errno, "cannot read " + path_.string());
    std::string line;
    for (int number = 1; std::getline(from, line) && !from.eof(); ++number) {
        const auto json = nlohmann::json::parse(line, nullptr, false);
        const auto s = parse(json);
        const std::string where = path_.string() + ", line " + std::to_string(number);
        if (!s && from.peek() == std::ifstream::traits_type::eof()) return;  // the last one
        if (!s)
            throw problem(errc::bad_message, where +
                                                 ", is damaged: move the file away to go on "
                                                 "from the checkpoint alone");
        if (json.value("run", nlohmann::json()) != run_)
            throw problem(errc::mismatch, where +
                                              ", is of another run: choose another --checkpoint, "
                                              "or the same --run");
        last_ = *s;
        good_ += line.size() + 1;
    }
    if (from.bad()) throw_system_problem(errno, "cannot read " + path_.string());
}

void journal::append(const settled_round& s)
{
    last_ = s;
    if (path_.empty()) return;
    const nlohmann::ordered_json line = {
        {"settled", s.round}, {"digest", s.digest}, {"members", s.members}, {"run", run_}};
    const std::string text = as_text(line) + "\n";
    const auto begin = static_cast<off_t>(good_);
    errno = 0;
    const bool written = ::ftruncate(file_, begin) == 0 && ::lseek(file_, begin, SEEK_SET) >= 0 &&
                         write_to(file_, text) == text.size() && ::fsync(file_) == 0;
    if (!written) throw_system_problem(errno, "cannot write to " + path_.string());
    good_ += text.size();
}

void go_on_from(const settled_round& last, run_description& run)
{
    if (last.round >= run.round) {
        run.round = last.round;
        run.digest = last.digest;
    }
    run.settled_by = last.members;
}

}  // namespace papilio::example
