#pragma once

#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/session/impl/chosen.hpp>
#include <papilio/session/impl/session_events.hpp>
#include <papilio/session/round_work.hpp>
#include <papilio/session/session.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whose updates are in a mean, by id.
inline std::vector<session_member> members_in(const report& call, const wire::group& group)
{
    std::map<std::uint16_t, double> weights;
    for (const auto& range : call.made_of)
        for (const auto& from : range.from)
            weights[group.members.at(static_cast<std::size_t>(from.rank)).id] = from.weight;
    std::vector<session_member> all;
    for (const auto& [id, weight] : weights) all.push_back({id, weight});
    return all;
}

/// Throws unless the update is as long as what it is averaged with.
inline void check_update(std::size_t size, std::size_t wanted, const char* whose)
{
    if (size == wanted) return;
    throw std::system_error(errc::bad_argument, "the update has " + std::to_string(size) +
                                                    " elements, " + whose + " " +
                                                    std::to_string(wanted));
}

/// The rounds of a session: what its state is, how the caller's step makes the next one, and what
/// its owner and people are told. Used by the thread whose turn it is, and by the loop while that
/// waits for it, but for what any thread may ask.
class session_rounds final : public round_work {
public:
    session_rounds(std::vector<std::vector<float>> first, state_step step)
        : step_(std::move(step)),
          state_(std::make_shared<state_snapshot>(state_snapshot{0, std::move(first)})),
          digest_(digest_of(*state_))
    {
    }

    // For any thread.
    shared_state snapshot() const
    {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    std::uint16_t id() const noexcept { return id_; }
    std::optional<session_event> next_event() { return events_.next(); }

    /// A round begins, whose average this member gives `update` to. Throws unless it is as long as
    /// what it is averaged with.
    void begin(std::span<const float> update, chosen_op op, chosen_codec codec, double weight)
    {
        if (!step_)
            check_update(update.size(), state_->spans[0].size(), "the state");
        else if (averaged_size_)
            check_update(update.size(), *averaged_size_, "those of earlier rounds");
        result_ = {};
        update_ = update;
        op_ = op;
        codec_ = codec;
        weight_ = weight;
    }

    /// It has ended, and the update may go.
    round_result end(bool averaged)
    {
        const auto size = std::exchange(update_, {}).size();
        result_.averaged = averaged;
        if (averaged) {
            averaged_size_ = size;
            keep_mean();
        } else {
            result_.members.clear();
        }
        result_.round = state_->round;
        return std::exchange(result_, {});
    }

    // What the member asks for.
    const shared_state& state() const override { return state_; }
    const std::string& digest() const override { return digest_; }

    void adopt(shared_state next, std::string digest) override
    {
        const std::lock_guard lock(mutex_);
        state_ = std::move(next);
        digest_ = std::move(digest);
    }

    std::string digest_of(const state_snapshot& s) const override
    {
        std::uint64_t all = s.round;
        for (const auto& span : s.spans) all = hash(all, checksum(std::as_bytes(std::span(span))));
        std::array<char, 17> text{};
        std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(all));
        return text.data();
    }

    std::shared_ptr<state_snapshot> next_state(const state_snapshot& from) override
    {
        auto next = std::make_shared<state_snapshot>();
        next->round = from.round + 1;
        for (const auto& span : from.spans) next->spans.emplace_back(span.size());
        return next;
    }

    std::span<float> place_for_mean(state_snapshot& next) override
    {
        if (!step_) return next.spans[0];
        if (!mean_) mean_ = std::make_shared<std::vector<float>>();
        mean_->resize(update_.empty() ? averaged_size_.value_or(0) : update_.size());
        return *mean_;
    }

    void advance(const state_snapshot& from, state_snapshot& next) override
    {
        if (!step_) return;
        step_(from, *mean_, next);
        if (!std::ranges::equal(from.spans, next.spans, {}, &std::vector<float>::size,
                                &std::vector<float>::size))
            throw std::system_error(errc::bad_argument,
                                    "the step to the next state must not resize its spans");
    }

    task<report> average(any_transport net, std::span<float> mean, call_options o) override
    {
        o.weight = weight_;
        o.uniform = true;
        return run_all_reduce(net, data_of_choice({update_, mean, op_, codec_}), o);
    }

    wire::round_ready readiness() const override { return {state_->round, digest_, 1}; }

    void saw_attempt(const wire::group& group, const average_result& how,
                     std::span<const float>) override
    {
        ++result_.attempts;
        known_.meet(group, id_, state_->round, events_);
        if (how.ok) {
            result_.call = how.call_report;
            result_.members = members_in(how.call_report, group);
            for (const auto& m : how.left) result_.left.push_back(m.id);
        }
        for (const auto& m : how.left) known_.lose(m.id, m.why, state_->round, events_);
    }

    void record_round(const average_result*, std::size_t) override {}
    void record_fetch() override { tell(session_news::replaced, 0, "took over the run's state"); }

    void saw_join(std::uint16_t id, const std::string& line) override
    {
        id_ = id;
        known_ = {};
        tell(session_news::joined, id, line);
    }

    void print(log_level, const std::string& line) override { tell(session_news::said, 0, line); }
    void print_waiting(const std::string& line) override { tell(session_news::said, 0, line); }

    /// Of members without which the round goes on, `saw_attempt` has told one by one.
    void saw(round_setback what, const std::string& line) override
    {
        if (what == round_setback::run_lost) tell(session_news::lost, 0, line);
        if (what == round_setback::attempt_failed) tell(session_news::redone, 0, line);
    }

private:
    /// The mean is the result's, and lasts as long as that.
    void keep_mean()
    {
        if (step_ && mean_) {
            result_.mean = *mean_;
            result_.mean_owner = std::exchange(mean_, nullptr);
        } else if (!step_) {
            result_.mean = state_->spans[0];
            result_.mean_owner = state_;
        }
    }

    void tell(session_news what, std::uint16_t member, const std::string& text)
    {
        events_.tell({what, state_->round, member, text});
    }

    const state_step step_;

    std::span<const float> update_;
    std::shared_ptr<std::vector<float>> mean_;  // beside the state; null: a result has the last one
    std::optional<std::size_t> averaged_size_;  // of updates, once one was in a mean
    chosen_op op_;
    chosen_codec codec_;
    double weight_ = 1;
    round_result result_;
    known_members known_;
    event_queue events_;

    mutable std::mutex mutex_;  // guards the following, which the thread whose turn it is changes
    shared_state state_;
    std::string digest_;
    std::atomic<std::uint16_t> id_ = 0;
};

}  // namespace papilio::detail
