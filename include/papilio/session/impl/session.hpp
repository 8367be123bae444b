#pragma once

#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/session/elastic_member.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/session/impl/chosen.hpp>
#include <papilio/session/session.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// Included by one unit only, so that nothing here is inline.
namespace papilio::inline PAPILIO_MODE {

namespace detail {

inline elastic_member_options member_options_of(const std::string& rendezvous,
                                                const state_snapshot& first,
                                                const session_options& o)
{
    elastic_member_options m;
    m.client.rendezvous = parse_endpoint(rendezvous);
    if (!o.listen.empty()) m.client.mesh.listen = parse_endpoint(o.listen);
    if (!o.announce.empty()) m.client.announce = parse_endpoint(o.announce);
    m.client.mesh.run = o.run;
    m.client.mesh.probed = false;
    m.client.name = o.name;
    m.client.configuration = o.configuration;
    for (const auto& span : first.spans) {
        m.client.state_sizes.push_back(span.size());
        m.client.parameters += span.size();
        m.client.configuration = hash(m.client.configuration, span.size());
    }
    m.client.attempt =
        std::clamp<duration>(o.patience, std::chrono::milliseconds(100), std::chrono::seconds(10));
    m.client.host_called = "host of the run";
    m.rounds = o.rounds;
    m.patience = o.patience;
    m.offers_state = true;
    m.linger = o.linger;
    return m;
}

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

/// How a member is called in what people are told.
inline std::string member_called(std::uint16_t id)
{
    return "member " + std::to_string(id);
}

inline std::system_error session_left()
{
    return {std::make_error_code(std::errc::operation_canceled), "this session has left its run"};
}

}  // namespace detail

/// Serves the threads that call, one at a time, by an `elastic_member`, and remembers for all of
/// them what it was told.
class session::body final : public round_work {
public:
    body(const std::string& rendezvous, std::vector<std::vector<float>> first, state_step step,
         const session_options& o)
        : step_(std::move(step)),
          state_(std::make_shared<state_snapshot>(state_snapshot{0, std::move(first)})),
          digest_(digest_of(*state_)),
          member_(*this, detail::member_options_of(rendezvous, *state_, o), abandon_.get_token())
    {
        if (state_->spans.empty() || state_->spans[0].empty())
            throw std::system_error(errc::bad_argument, "the state of a run must not be empty");
    }

    /// A call of another thread, which `close` waits for.
    class call_under_way {
    public:
        explicit call_under_way(body& b) : body_(b)
        {
            const std::lock_guard lock(body_.mutex_);
            if (body_.closed_) throw detail::session_left();
            ++body_.calls_;
        }
        ~call_under_way()
        {
            const std::lock_guard lock(body_.mutex_);
            if (--body_.calls_ == 0) body_.no_calls_.notify_all();
        }
        call_under_way(const call_under_way&) = delete;
        call_under_way& operator=(const call_under_way&) = delete;

    private:
        body& body_;
    };

    void join()
    {
        const std::lock_guard turn(turns_);
        member_.join(stop_.get_token());
        over_ = member_.over();
    }

    round_result average(std::span<const float> update, chosen_op op, chosen_codec codec,
                         double weight)
    {
        const call_under_way here(*this);
        const std::lock_guard turn(turns_);
        if (stop_.stop_requested()) throw detail::session_left();
        result_ = {};
        if (!member_.over()) make_round(update, op, codec, weight);
        over_ = member_.over();
        result_.round = state_->round;
        return result_;
    }

    void leave()
    {
        const call_under_way here(*this);
        stop_.request_stop();
        const std::lock_guard turn(turns_);
        member_.leave();
    }

    void close()
    {
        {
            std::unique_lock lock(mutex_);
            closed_ = true;
            if (calls_ > 0) abandon_.request_stop();
            stop_.request_stop();
            no_calls_.wait(lock, [this] { return calls_ == 0; });
        }
        const std::lock_guard turn(turns_);
        member_.leave(std::chrono::seconds(1));
    }

    shared_state snapshot()
    {
        const std::lock_guard lock(mutex_);
        return state_;
    }

    std::optional<session_event> next_event()
    {
        const std::lock_guard lock(mutex_);
        if (events_.empty()) return std::nullopt;
        auto next = std::move(events_.front());
        events_.pop_front();
        return next;
    }

    bool over() const { return over_; }
    std::uint16_t id() const { return id_; }

    /// What `ask` finds out of the member between calls, during which it is busy.
    template <class T, class Ask>
    T between_calls(T busy, Ask ask)
    {
        const std::unique_lock turn(turns_, std::try_to_lock);
        return turn ? ask(member_) : busy;
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
        mean_.resize(update_.size());
        return mean_;
    }

    void advance(const state_snapshot& from, state_snapshot& next) override
    {
        if (!step_) return;
        step_(from, mean_, next);
        if (!std::ranges::equal(from.spans, next.spans, {}, &std::vector<float>::size,
                                &std::vector<float>::size))
            throw std::system_error(errc::bad_argument,
                                    "the step to the next state must not resize its spans");
    }

    task<report> average(any_transport net, std::span<float> mean, call_options o) override
    {
        o.weight = weight_;
        o.uniform = true;
        return detail::run_all_reduce(net, detail::data_of_choice({update_, mean, op_, codec_}), o);
    }

    wire::round_ready readiness() const override { return {state_->round, digest_, 1}; }

    void saw_attempt(const wire::group& group, const average_result& how,
                     std::span<const float>) override
    {
        ++result_.attempts;
        note_members(group);
        if (how.ok) {
            result_.call = how.call_report;
            result_.members = detail::members_in(how.call_report, group);
            for (const auto& m : how.left) result_.left.push_back(m.id);
        } else {
            tell(session_news::redone, 0, how.why);
        }
        for (const auto& m : how.left) {
            known_.erase(m.id);
            tell(session_news::went, m.id, detail::member_called(m.id) + " is gone: " + m.why);
        }
    }

    void record_round(const average_result*, std::size_t) override {}
    void record_fetch() override { tell(session_news::replaced, 0, "took over the run's state"); }
    void save_for_later() override { tell(session_news::lost, 0, "lost the run"); }

    void saw_join(std::uint16_t id, const std::string& line) override
    {
        id_ = id;
        known_.clear();
        tell(session_news::joined, id, line);
    }

    void print(log_level, const std::string& line) override { tell(session_news::said, 0, line); }
    void print_waiting(const std::string& line) override { tell(session_news::said, 0, line); }

private:
    void make_round(std::span<const float> update, chosen_op op, chosen_codec codec, double weight)
    {
        if (!step_)
            detail::check_update(update.size(), state_->spans[0].size(), "the state");
        else if (averaged_size_)
            detail::check_update(update.size(), *averaged_size_, "those of earlier rounds");
        update_ = update;
        op_ = op;
        codec_ = codec;
        weight_ = weight;
        const auto how = member_.synchronise();
        update_ = {};
        if (how == round_end::stopped && !member_.over()) throw detail::session_left();
        result_.averaged = how == round_end::averaged;
        averaged_ = state_;
        if (result_.averaged) averaged_size_ = update.size();
        if (!result_.averaged)
            result_.members.clear();
        else if (step_)
            result_.mean = mean_;
        else
            result_.mean = averaged_->spans[0];
    }

    /// Tells who is in a group for the first time, and who is no longer.
    void note_members(const wire::group& group)
    {
        std::map<std::uint16_t, std::uint32_t> now;
        for (const auto& m : group.members) now.emplace(m.id, m.process);
        for (const auto& [id, process] : known_)
            if (!now.contains(id))
                tell(session_news::went, id, detail::member_called(id) + " is not in the group");
        for (const auto& [id, process] : now)
            if (id != id_ && !known_.contains(id))
                tell(session_news::came, id, detail::member_called(id) + " is in the group");
        known_ = std::move(now);
    }

    void tell(session_news what, std::uint16_t member, const std::string& text)
    {
        constexpr std::size_t most = 1000;
        const std::lock_guard lock(mutex_);
        if (events_.size() == most) events_.pop_front();
        events_.push_back({what, state_->round, member, text});
    }

    const state_step step_;

    // Of the thread whose turn it is, and the loop while that waits for it.
    std::span<const float> update_;
    std::vector<float> mean_;
    std::optional<std::size_t> averaged_size_;  // of updates, once one was in a mean
    chosen_op op_;
    chosen_codec codec_;
    double weight_ = 1;
    round_result result_;
    shared_state averaged_;                         // what `result_` refers to
    std::map<std::uint16_t, std::uint32_t> known_;  // in the last group: by id, which process

    std::mutex turns_;  // of calls that use the member
    std::mutex mutex_;  // guards the following, which the member's thread alone changes
    shared_state state_;
    std::string digest_;
    std::deque<session_event> events_;
    int calls_ = 0;
    bool closed_ = false;
    std::condition_variable no_calls_;
    std::atomic<bool> over_ = false;
    std::atomic<std::uint16_t> id_ = 0;

    std::stop_source stop_;     // of waits
    std::stop_source abandon_;  // of everything
    elastic_member member_;     // last: it uses the others
};

session::session(const std::string& rendezvous, std::vector<float> first, session_options o)
    : session(rendezvous, std::vector<std::vector<float>>(1, std::move(first)), nullptr,
              std::move(o))
{
}

session::session(const std::string& rendezvous, std::vector<std::vector<float>> first,
                 state_step step, session_options o)
    : body_(std::make_shared<body>(rendezvous, std::move(first), std::move(step), o))
{
    body_->join();
}

session::~session()
{
    body_->close();
}

round_result session::average(std::span<const float> update, chosen_op op, chosen_codec codec,
                              double weight)
{
    const auto kept = body_;
    return kept->average(update, op, codec, weight);
}

shared_state session::state() const
{
    return body_->snapshot();
}

bool session::over() const
{
    return body_->over();
}

bool session::behind() const
{
    return body_->between_calls(false, [](elastic_member& m) { return m.has_news(); });
}

std::optional<std::chrono::milliseconds> session::closing_in() const
{
    const auto ms = body_->between_calls(0u, [](elastic_member& m) { return m.closing_in_ms(); });
    if (ms == 0) return std::nullopt;
    return std::chrono::milliseconds(ms);
}

std::uint16_t session::id() const
{
    return body_->id();
}

std::optional<session_event> session::next_event()
{
    return body_->next_event();
}

void session::leave()
{
    const auto kept = body_;
    kept->leave();
}

}  // namespace papilio
