#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/member.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// One group's attempt at a round: the group, and the reports of its members so far. Observers
/// report, but only the others vote.
class round_attempt {
public:
    round_attempt(wire::group g, time_point report_deadline)
        : group_(std::move(g)), report_deadline_(report_deadline)
    {
    }

    const wire::group& group() const noexcept { return group_; }
    time_point report_deadline() const noexcept { return report_deadline_; }
    const std::map<std::uint16_t, wire::round_report>& reports() const noexcept { return reports_; }

    /// Throws `errc::bad_message` when the report is about another attempt.
    void add(std::uint16_t id, const wire::round_report& report)
    {
        if (report.round != group_.round || report.attempt != group_.attempt)
            throw std::system_error(
                errc::bad_message,
                "the report must be about round " + std::to_string(group_.round) + " attempt " +
                    std::to_string(group_.attempt) + ", not round " + std::to_string(report.round) +
                    " attempt " + std::to_string(report.attempt));
        reports_.emplace(id, report);
    }

    bool agreed(std::uint16_t id, const std::string& digest) const
    {
        const auto found = reports_.find(id);
        return found != reports_.end() && found->second.ok && found->second.digest == digest;
    }

    bool votes(std::uint16_t id) const
    {
        const auto found = std::ranges::find(group_.members, id, &wire::group_member::id);
        return found != group_.members.end() && found->role != wire::member_role::observer;
    }

    /// The voters among `members` that have not reported yet.
    std::vector<std::uint16_t> missing(const member_map& members) const
    {
        std::vector<std::uint16_t> ids;
        for (const auto& m : group_.members)
            if (members.contains(m.id) && votes(m.id) && !reports_.contains(m.id))
                ids.push_back(m.id);
        return ids;
    }

    /// The digest that more than half of all voters report; empty: none has so many.
    std::string agreed_digest() const
    {
        std::map<std::string, std::size_t> count;
        for (const auto& [id, report] : reports_)
            if (votes(id) && report.ok) ++count[report.digest];
        for (const auto& [digest, reporters] : count)
            if (is_majority(reporters)) return digest;
        return {};
    }

    /// How many voters' reports name each voter as the culprit. Nobody names itself.
    std::map<std::uint16_t, std::size_t> accusations() const
    {
        std::map<std::uint16_t, std::size_t> count;
        for (const auto& [id, report] : reports_) {
            if (!votes(id) || report.ok || report.culprit < 0) continue;
            const auto culprit = static_cast<std::uint16_t>(report.culprit);
            if (culprit != id && votes(culprit)) ++count[culprit];
        }
        return count;
    }

    /// Whether more than half of the voters report this digest, and that they went on without the
    /// member. Its own report changes nothing then.
    bool went_on_without(std::uint16_t id, const std::string& digest) const
    {
        const auto count = std::ranges::count_if(reports_, [&](const auto& entry) {
            const auto& left = entry.second.left;
            return votes(entry.first) && agreed(entry.first, digest) &&
                   std::ranges::find(left, id) != left.end();
        });
        return !digest.empty() && is_majority(static_cast<std::size_t>(count));
    }

    /// Whether so many are more than half of the voters, including those that have left since.
    bool is_majority(std::size_t count) const
    {
        const auto voters = std::ranges::count_if(
            group_.members, [this](const wire::group_member& m) { return votes(m.id); });
        return 2 * count > static_cast<std::size_t>(voters);
    }

private:
    wire::group group_;
    time_point report_deadline_;
    std::map<std::uint16_t, wire::round_report> reports_;
};

}  // namespace papilio::detail
