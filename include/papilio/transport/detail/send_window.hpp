#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/detail/windowed_message.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// What one side of a link may send: as many early messages as the other has room for, and beyond
/// that the messages that it has asked for. Pure: frames and messages are sent by what derives from
/// `message`.
///
/// A message that does not fit the window is announced, and waits until a receive is posted for it
/// there, or the window has room. Messages under one tag go in order: behind one that waits all
/// wait. The last of the window is for small messages, such as votes: they go while large ones
/// wait.
///
/// An announcement ends, in the order of its tag, with its message or with a withdrawal. The
/// receiver answers each once, and it counts here until the answer has come: so it never has more
/// to answer than is announced at a time.
class send_window {
public:
    using message = windowed_message;

    /// The early messages of this link may cost `limit` before more is said.
    explicit send_window(std::uint64_t limit) : limit_(limit) { drained_.open(); }
    send_window(const send_window&) = delete;
    send_window& operator=(const send_window&) = delete;

    /// Whether `m` may be sent at once. Otherwise it waits, until `permitted` or `ended` is called.
    /// Throws why the link has ended, if it has.
    bool admits(message& m);

    /// Whether a message of `size` bytes under `t` would be sent at once.
    bool is_open_for(tag t, std::size_t size) const
    {
        if (t >= wire::first_reserved_tag) return true;
        return (waiting_.empty() || !tags_.contains(t)) && fits(size);
    }

    /// `m` will not be sent: it waits, or was to be sent and no byte of it has left.
    void forget(message& m);

    /// All early messages of this link may cost `limit` together.
    void raise(std::uint64_t limit);

    /// The receiver waits for the announced message `number`, or does not. It may have been sent or
    /// withdrawn meanwhile. What went early and was asked for before it came cost nothing there.
    void grant(std::uint64_t number);
    void decline(std::uint64_t number);

    /// The link has ended, because of `why`: nothing waits any more, and nothing more is sent.
    void fail(std::error_code why);
    std::error_code error() const noexcept { return error_; }

    /// Whether a message of this call, as `call_of` tells it, waits.
    bool holds(std::uint64_t call) const
    {
        return std::ranges::any_of(tags_,
                                   [call](const auto& t) { return call_of(t.first) == call; });
    }

    /// Awaiting it lasts until no message waits.
    gate::passage drained() noexcept { return drained_.opened(); }

private:
    using place = std::map<std::uint64_t, message*>::iterator;
    using state = message::state;

    static constexpr std::size_t small = 1024;
    static constexpr std::uint64_t kept_for_small = wire::first_window / 4;

    bool fits(std::size_t size) const noexcept
    {
        return wire::early_cost(size) + (size > small ? kept_for_small : 0) <= limit_ - spent_;
    }
    static std::uint64_t cost(const message& m) noexcept { return wire::early_cost(m.size_); }
    void spend_on(message& m) noexcept
    {
        spent_ += cost(m);
        m.state_ = state::fits;
    }
    void give_back(std::uint64_t& spent) noexcept { spent_ -= std::exchange(spent, 0); }
    static void withdraw(message& m);
    message& remove(place at);
    void announce();

    std::uint64_t limit_;
    std::uint64_t spent_ = 0;
    std::map<std::uint64_t, message*> waiting_;  // by number, which is the order in which they came
    std::map<tag, std::size_t> tags_;            // how many wait under each
    std::uint64_t numbers_ = 0;                  // given so far
    std::uint64_t last_announced_ = 0;
    // By number; and what those have cost that went early.
    std::map<std::uint64_t, std::shared_ptr<std::uint64_t>> unanswered_;
    std::error_code error_;
    gate drained_;
};

inline bool send_window::admits(message& m)
{
    if (m.tag_ >= wire::first_reserved_tag) return true;
    if (error_) throw std::system_error(error_);
    if (is_open_for(m.tag_, m.size_)) {
        spend_on(m);
        return true;
    }
    drained_.close();
    m.number_ = ++numbers_;
    m.state_ = state::waits;
    waiting_.emplace(m.number_, &m);
    ++tags_[m.tag_];
    announce();
    return false;
}

inline void send_window::forget(message& m)
{
    const bool waited = m.waits();
    if (waited) remove(waiting_.find(m.number_));
    if (m.state_ == state::fits && m.cost_)
        give_back(*m.cost_);
    else if (m.state_ == state::fits)
        spent_ -= cost(m);
    m.state_ = state::apart;
    withdraw(m);
    if (waited) announce();
}

inline void send_window::raise(std::uint64_t limit)
{
    if (limit <= limit_) return;
    limit_ = limit;
    std::map<tag, const message*> first;  // under each tag, of those that wait on
    for (auto at = waiting_.begin();
         at != waiting_.end() && limit_ - spent_ > wire::early_cost(0);) {
        message& m = *at->second;
        const auto next = std::next(at);
        if (first.contains(m.tag_) || !fits(m.size_)) {
            first.emplace(m.tag_, &m);
        } else {
            remove(at);
            spend_on(m);
            if (const auto found = unanswered_.find(m.number_); found != unanswered_.end())
                found->second = m.cost_ = std::make_shared<std::uint64_t>(cost(m));
            m.permitted();
        }
        at = next;
    }
    announce();
}

inline void send_window::grant(std::uint64_t number)
{
    const auto answered = unanswered_.extract(number);
    if (!answered) return;
    if (answered.mapped()) give_back(*answered.mapped());
    if (const auto found = waiting_.find(number); found != waiting_.end()) {
        message& m = remove(found);
        m.state_ = state::granted;
        m.permitted();
    }
    announce();
}

inline void send_window::decline(std::uint64_t number)
{
    if (unanswered_.erase(number) == 0) return;
    if (const auto found = waiting_.find(number); found != waiting_.end()) {
        message& m = remove(found);
        withdraw(m);
        m.ended({});
    }
    announce();
}

inline void send_window::fail(std::error_code why)
{
    if (!error_) error_ = why;
    tags_.clear();
    unanswered_.clear();
    for (const auto& [number, m] : std::exchange(waiting_, {})) {
        m->state_ = state::apart;
        m->number_ = 0;
        m->ended(why);
    }
    drained_.open();
}

/// Ends the announcement of a message that is not sent, if there is one.
inline void send_window::withdraw(message& m)
{
    if (m.number_ == 0) return;
    m.tell({.kind = wire::flow_kind::withdraw,
            .number = std::exchange(m.number_, 0),
            .subject = static_cast<std::uint64_t>(m.tag_)});
}

/// Ends a wait.
inline send_window::message& send_window::remove(place at)
{
    message& m = *at->second;
    m.state_ = state::apart;
    const auto of_tag = tags_.find(m.tag_);
    if (--of_tag->second == 0) tags_.erase(of_tag);
    if (m.number_ > last_announced_) m.number_ = 0;
    waiting_.erase(at);
    if (waiting_.empty()) drained_.open();
    return m;
}

/// Announces what waits and has not been announced, as far as the receiver takes note of it.
inline void send_window::announce()
{
    while (unanswered_.size() < wire::max_announced) {
        const auto next = waiting_.upper_bound(last_announced_);
        if (next == waiting_.end()) return;
        last_announced_ = next->first;
        unanswered_.emplace(next->first, nullptr);
        const message& m = *next->second;
        next->second->tell({.kind = wire::flow_kind::announce,
                            .size = static_cast<std::uint32_t>(m.size_),
                            .number = m.number_,
                            .subject = static_cast<std::uint64_t>(m.tag_)});
    }
}

}  // namespace papilio::detail
