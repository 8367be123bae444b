#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/session/elastic_member.hpp>
#include <papilio/session/impl/call_thread.hpp>
#include <papilio/session/impl/calls_under_way.hpp>
#include <papilio/session/impl/member_options.hpp>
#include <papilio/session/impl/session_rounds.hpp>
#include <papilio/session/impl/turns.hpp>
#include <papilio/session/session.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
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

/// The state that a session begins with.
inline std::vector<std::vector<float>> checked_state(std::vector<std::vector<float>> first)
{
    if (first.empty() || first[0].empty())
        throw std::system_error(errc::bad_argument, "the state of a run must not be empty");
    return first;
}

}  // namespace detail

/// Serves the threads that call, one at a time, by an `elastic_member`.
class session::body {
public:
    body(const std::string& rendezvous, std::vector<std::vector<float>> first, state_step step,
         const session_options& o)
        : rounds_(detail::checked_state(std::move(first)), std::move(step)),
          member_(rounds_, detail::member_options_of(rendezvous, *rounds_.state(), o),
                  abandon_.get_token())
    {
    }

    void join()
    {
        member_.join(stop_.get_token());
        over_ = member_.over();
    }

    round_result average(std::span<const float> update, chosen_op op, chosen_codec codec,
                         double weight)
    {
        const detail::calls_under_way::call here(calls_);
        detail::turns::turn mine(turns_);
        return average_in(mine, update, op, codec, weight);
    }

    std::future<round_result> start_average(std::span<const float> update, chosen_op op,
                                            chosen_codec codec, double weight)
    {
        const std::lock_guard lock(starting_);  // its thread makes them in the order of their turns
        auto call = std::make_unique<started_average>(*this, update, op, codec, weight);
        auto result = call->done.get_future();
        starter_.add(std::move(call));
        return result;
    }

    void leave()
    {
        const detail::calls_under_way::call here(calls_);
        stop_.request_stop();
        detail::turns::turn mine(turns_);
        mine.wait();
        member_.leave();
    }

    void close()
    {
        calls_.close();
        if (turns_.any()) abandon_.request_stop();  // a call that has ended hinders nobody
        stop_.request_stop();
        calls_.wait_for_none();
        member_.leave(std::chrono::seconds(1));
    }

    const detail::session_rounds& rounds() const noexcept { return rounds_; }
    std::optional<session_event> next_event() { return rounds_.next_event(); }
    bool over() const noexcept { return over_; }

    /// What `ask` finds out of the member between calls, during which it is busy.
    template <class T, class Ask>
    T between_calls(T busy, Ask ask)
    {
        const detail::turns::turn mine(turns_, std::try_to_lock);
        return mine ? ask(member_) : busy;
    }

private:
    /// Asks for its turn when it is made. The turn is over when the future is ready, and only after
    /// that is this no call under way any more.
    struct started_average final : detail::call_thread::call {
        started_average(body& b, std::span<const float> update_, chosen_op op_, chosen_codec codec_,
                        double weight_)
            : of(b), here(b.calls_), update(update_), op(op_), codec(codec_), weight(weight_)
        {
            turn.emplace(b.turns_);
        }

        void make() noexcept override
        {
            try {
                auto result = of.average_in(*turn, update, op, codec, weight);
                turn.reset();
                done.set_value(std::move(result));
            } catch (...) {
                turn.reset();
                done.set_exception(std::current_exception());
            }
        }

        body& of;
        detail::calls_under_way::call here;
        std::span<const float> update;
        chosen_op op;
        chosen_codec codec;
        double weight;
        std::optional<detail::turns::turn> turn;
        std::promise<round_result> done;
    };

    round_result average_in(detail::turns::turn& mine, std::span<const float> update, chosen_op op,
                            chosen_codec codec, double weight)
    {
        mine.wait();
        if (stop_.stop_requested()) throw detail::session_left();
        if (member_.over()) {
            round_result late;
            late.round = rounds_.state()->round;
            return late;
        }
        rounds_.begin(update, op, codec, weight);
        const auto how = member_.synchronise();
        over_ = member_.over();
        if (how == round_end::stopped && !over_) throw detail::session_left();
        return rounds_.end(how == round_end::averaged);
    }

    detail::session_rounds rounds_;
    detail::turns turns_;  // of calls that use the member

    detail::calls_under_way calls_;
    std::atomic<bool> over_ = false;

    std::stop_source stop_;     // of waits
    std::stop_source abandon_;  // of everything
    elastic_member member_;     // uses the others
    std::mutex starting_;
    detail::call_thread starter_;
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

std::future<round_result> session::started_calls::average(std::span<const float> update,
                                                          chosen_op op, chosen_codec codec,
                                                          double weight) const
{
    return body_->start_average(update, op, codec, weight);
}

shared_state session::state() const
{
    return body_->rounds().snapshot();
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
    return body_->rounds().id();
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
