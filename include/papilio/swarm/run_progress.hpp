#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/round_attempt.hpp>
#include <papilio/wire/swarm_messages.hpp>
#include <papilio/wire/tag.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How far a run has come: the rounds done, the digest of the state after them, and the failed
/// attempts at the next round.
class run_progress {
public:
    run_progress(std::uint32_t round, std::string digest)
        : round_(round), digest_(std::move(digest))
    {
    }

    std::uint32_t round() const noexcept { return round_; }
    const std::string& digest() const noexcept { return digest_; }

    /// Whether this is the run's state. An unknown digest, of either, matches any.
    bool is_current(std::uint32_t round, const std::string& digest) const
    {
        return round == round_ && (digest_.empty() || digest.empty() || digest == digest_);
    }

    /// The member that the next attempt leaves out, if any.
    std::optional<std::uint16_t> excluded() const
    {
        return excluded_member(failed_attempts_, blamed_);
    }

    /// The next group, without members. No two groups in a row have the same epoch.
    wire::group next_group(std::uint32_t timeout_ms)
    {
        epoch_ = epoch_ % max_epoch + 1;
        return {round_, failed_attempts_, epoch_, timeout_ms, {}};
    }

    /// Nobody has begun the next round yet, and the run is further than was known.
    void adopt(std::uint32_t round, const std::string& digest)
    {
        round_ = round;
        digest_ = digest;
    }

    /// The state with this digest is the run's, after one more round.
    void succeed(const wire::group& group, const std::string& digest)
    {
        last_ = {group.round, group.attempt, true, false, {}};
        ++round_;
        failed_attempts_ = 0;
        digest_ = digest;
        blamed_.clear();
    }

    /// Counts the accusations against those of `members` that are still there. Returns the members
    /// that more than half of the group's voters accuse.
    std::vector<std::uint16_t> fail(const round_attempt& attempt, const member_map& members)
    {
        last_ = {attempt.group().round, attempt.group().attempt, false, false, {}};
        ++failed_attempts_;
        std::vector<std::uint16_t> guilty;
        for (const auto& [culprit, count] : attempt.accusations()) {
            if (!members.contains(culprit)) continue;
            ++blamed_[culprit];
            if (attempt.is_majority(count)) guilty.push_back(culprit);
        }
        return guilty;
    }

    void forget(std::uint16_t id) { blamed_.erase(id); }

    /// What an attempt that has ended led to, for the member that sent this report; without
    /// the run's status.
    wire::round_outcome outcome_of(const wire::round_report& report) const
    {
        const bool newest = report.round == last_.round && report.attempt == last_.attempt;
        wire::round_outcome outcome{report.round, report.attempt, newest && last_.ok, false, {}};
        outcome.yours = outcome.ok && report.ok && report.digest == digest_;
        if (report.round < round_) outcome.ok = true;  // in this attempt or a later one
        return outcome;
    }

private:
    std::uint32_t round_;
    std::string digest_;
    std::uint32_t failed_attempts_ = 0;  // at the next round
    blame_count blamed_;                 // in those attempts
    std::uint32_t epoch_ = 0;
    wire::round_outcome last_;  // of the attempt that ended last
};

}  // namespace papilio::detail
