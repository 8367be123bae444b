#pragma once

#include <papilio/base/log.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace papilio::test {

/// Collects what is logged while it lives, as lines. One at a time.
class collected_log {
public:
    explicit collected_log(log_level least = log_level::debug)
    {
        const std::lock_guard lock(guard);
        lines_.clear();
        set_log(collect, least);
    }
    collected_log(const collected_log&) = delete;
    collected_log& operator=(const collected_log&) = delete;
    ~collected_log() { set_log(nullptr); }

    std::vector<std::string> lines() const
    {
        const std::lock_guard lock(guard);
        return lines_;
    }

    /// How many lines contain `text`.
    int count(const std::string& text) const
    {
        int found = 0;
        for (const auto& line : lines()) found += line.find(text) != std::string::npos;
        return found;
    }
    bool has(const std::string& text) const { return count(text) > 0; }

private:
    static void collect(const log_event& event)
    {
        const std::lock_guard lock(guard);
        lines_.push_back(to_string(event));
    }

    static inline std::mutex guard;
    static inline std::vector<std::string> lines_;
};

}  // namespace papilio::test
