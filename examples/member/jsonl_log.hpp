#pragma once

#include "outage.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace papilio::example {

/// The value as text, on one line or indented. Replaces bytes that are not UTF-8, since strings
/// from other members may hold any.
std::string as_text(const nlohmann::ordered_json& value, int indent = -1);

/// A file of JSON lines, one per event, which others can follow. Lines are collected, and written
/// several at a time: when one is added and the last were written more than `interval` ago, by
/// `flush`, and by the destructor. Each system call writes whole lines. Where the file takes no
/// more, as on a full disk, lines are left out until it does again; each line that is there is
/// whole. A process that is killed loses those of its last moment.
class jsonl_log {
public:
    using clock = std::chrono::steady_clock;

    /// Appends to `path`; an empty path writes nothing. Throws a `problem` when it cannot be
    /// opened. Calls `note` with a sentence when lines begin to be left out, and when they no
    /// longer are.
    jsonl_log(const std::filesystem::path& path, std::function<void(std::string)> note,
              clock::duration interval = std::chrono::seconds(1));
    ~jsonl_log();
    jsonl_log(const jsonl_log&) = delete;
    jsonl_log& operator=(const jsonl_log&) = delete;

    /// Adds the line, after a field `time` in seconds since 1970.
    void write(nlohmann::ordered_json line);

    /// Writes what has been collected: to be called before the next line may be long in coming.
    void flush();

    /// Whether lines are written.
    bool kept() const { return descriptor_ >= 0; }

private:
    void leave_out_from(std::size_t written, const std::string& text, int why);

    std::filesystem::path path_;
    std::function<void(std::string)> note_;
    clock::duration interval_;
    clock::time_point written_ = clock::now();
    int descriptor_ = -1;
    std::string rest_;   // of a line that has been written in part
    std::string lines_;  // whole ones, which follow it
    std::uint64_t left_out_ = 0;
    outage full_;
};

}  // namespace papilio::example
