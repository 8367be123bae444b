#pragma once

#include <papilio/base/config.hpp>
#include <papilio/session/session.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// What has happened to a run and was not asked for yet. For any thread.
class event_queue {
public:
    void tell(session_event what)
    {
        constexpr std::size_t most = 1000;
        const std::lock_guard lock(mutex_);
        if (events_.size() == most) events_.pop_front();
        events_.push_back(std::move(what));
    }

    std::optional<session_event> next()
    {
        const std::lock_guard lock(mutex_);
        if (events_.empty()) return std::nullopt;
        auto oldest = std::move(events_.front());
        events_.pop_front();
        return oldest;
    }

private:
    std::mutex mutex_;
    std::deque<session_event> events_;
};

/// Who is in the groups of a member, so that people hear of changes.
class known_members {
public:
    /// Tells who is in a group for the first time, and who is no longer.
    void meet(const wire::group& group, std::uint16_t self, std::uint32_t round, event_queue& told)
    {
        std::set<std::uint16_t> now;
        for (const auto& m : group.members) now.insert(m.id);
        for (const auto id : ids_)
            if (!now.contains(id))
                told.tell({session_news::went, round, id, called(id) + " is not in the group"});
        for (const auto id : now)
            if (id != self && !ids_.contains(id))
                told.tell({session_news::came, round, id, called(id) + " is in the group"});
        ids_ = std::move(now);
    }

    /// A member was lost in a round.
    void lose(std::uint16_t id, const std::string& why, std::uint32_t round, event_queue& told)
    {
        ids_.erase(id);
        told.tell({session_news::went, round, id, called(id) + " is gone: " + why});
    }

private:
    static std::string called(std::uint16_t id) { return "member " + std::to_string(id); }

    std::set<std::uint16_t> ids_;  // in the last group
};

}  // namespace papilio::detail
