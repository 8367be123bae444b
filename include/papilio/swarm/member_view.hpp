#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A member's knowledge of its run, from the messages of the rendezvous. It ignores
/// `state_outdated` about the state that the member holds by now: the rendezvous sent that before
/// it heard of the change.
class member_view {
public:
    std::optional<wire::joined> joined;
    std::optional<wire::group> group;
    std::optional<wire::state_outdated> outdated;
    std::optional<wire::round_outcome> outcome;
    std::optional<wire::refused> refused;
    bool answered = false;  // the rendezvous has said whether the member's state is the run's
    bool kept = false;      // it is the last donor: see `wire::leave`
    std::vector<std::uint16_t> gone;               // since the last group was called
    std::atomic<std::uint32_t> closing_in_ms = 0;  // which a thread that trains asks for, too
    std::atomic<bool> holds_state = false;         // the rendezvous said that of the member's state

    /// The member now holds this state. Groups and news about earlier ones are void.
    void set_state(std::uint32_t round, const std::string& digest)
    {
        round_ = round;
        digest_ = digest;
        holds_state = false;
        answered = false;
        outdated.reset();
        group.reset();
    }

    /// Adopts the state that an attempt led to, if it is the member's own result.
    wire::round_outcome take_outcome()
    {
        closing_in_ms = 0;
        if (outcome->ok && outcome->yours) set_state(outcome->now.round, outcome->now.digest);
        return *std::exchange(outcome, std::nullopt);
    }

    bool has_outcome(std::uint32_t round, std::uint32_t attempt) const
    {
        return outcome && outcome->round == round && outcome->attempt == attempt;
    }

    /// `host`, at which the rendezvous was reached, completes addresses that lack a host. Throws
    /// `errc::bad_message` for a message that only members send.
    void take(wire::swarm_message message, const std::string& host)
    {
        if (auto* welcome = std::get_if<wire::joined>(&message)) {
            complete(welcome->host, host);
            complete(welcome->now, host);
            joined = std::move(*welcome);
        } else if (auto* called = std::get_if<wire::group>(&message)) {
            for (auto& m : called->members) complete(m.at, host);
            group = std::move(*called);
            gone.clear();
        } else if (auto* behind = std::get_if<wire::state_outdated>(&message)) {
            complete(behind->now, host);
            answered = true;
            if (is_own_state(behind->now))
                holds_state = true;
            else
                outdated = std::move(*behind);
        } else if (auto* ended = std::get_if<wire::round_outcome>(&message)) {
            complete(ended->now, host);
            outcome = std::move(*ended);
        } else if (auto* closing = std::get_if<wire::round_closing>(&message)) {
            if (closing->round == round_) closing_in_ms = closing->within_ms;
        } else if (auto* no = std::get_if<wire::refused>(&message)) {
            refused = std::move(*no);
        } else if (std::holds_alternative<wire::leave>(message)) {
            kept = true;
        } else if (const auto* lost = std::get_if<wire::gone>(&message)) {
            constexpr std::size_t most = 2 * wire::max_members;
            if (gone.size() < most) gone.push_back(lost->id);
        } else if (!std::holds_alternative<wire::alive>(message)) {
            throw std::system_error(errc::bad_message,
                                    "a rendezvous does not send messages of kind " +
                                        std::to_string(message.index() + 1));
        }
    }

private:
    /// The run's status is that of the state that the member holds by now.
    bool is_own_state(const wire::run_status& s) const
    {
        const bool same_digest = s.digest.empty() || digest_.empty() || s.digest == digest_;
        return s.round == round_ && same_digest;
    }

    static void complete(wire::endpoint& at, const std::string& host)
    {
        if (at.host.empty() && at.port != 0) at.host = host;
    }

    static void complete(wire::run_status& s, const std::string& host)
    {
        for (auto& donor : s.donors) complete(donor.at, host);
    }

    std::uint32_t round_ = 0;  // of the state that the member holds
    std::string digest_;
};

}  // namespace papilio::detail
