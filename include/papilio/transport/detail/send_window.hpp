#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
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
class send_window {
public:
    /// Stays where it is from `admits` until it is sent or forgotten. These functions are called by
    /// the window, and must not call it.
    class message {
    public:
        message(tag t, std::size_t size) noexcept : tag_(t), size_(size) {}
        message(const message&) = delete;
        message& operator=(const message&) = delete;

        bool waits() const noexcept { return state_ == state::waits; }

    protected:
        ~message() = default;

    private:
        friend class send_window;

        enum class state { apart, fits, waits, granted };

        /// Sends a frame about this message, in order with the messages under its tag.
        virtual void tell(const wire::flow& f) = 0;

        /// It may be sent, and takes its place in the order of its tag before this returns.
        virtual void permitted() = 0;

        /// It is not to be sent: the receiver would discard it, or the link has failed with `why`.
        virtual void ended(std::error_code why) = 0;

        tag tag_;
        std::size_t size_;
        state state_ = state::apart;
        std::uint64_t number_ = 0;
    };

    /// The early messages of this link may cost `limit` before more is said.
    explicit send_window(std::uint64_t limit) : limit_(limit) { drained_.open(); }
    send_window(const send_window&) = delete;
    send_window& operator=(const send_window&) = delete;

    /// Whether `m` may be sent at once. Otherwise it waits, until `permitted` or `ended` is called.
    bool admits(message& m);

    /// `m` will not be sent: it waits, or was to be sent and no byte of it has left.
    void forget(message& m);

    /// All early messages of this link may cost `limit` together.
    void raise(std::uint64_t limit);

    /// The receiver waits for the announced message `number`, or would discard it. It may have been
    /// sent or withdrawn meanwhile.
    void grant(std::uint64_t number);
    void decline(std::uint64_t number);

    /// The link has ended, because of `why`: nothing waits any more.
    void fail(std::error_code why);

    /// Awaiting it lasts until no message waits.
    gate::passage drained() noexcept { return drained_.opened(); }

    std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    using place = std::map<std::uint64_t, message*>::iterator;
    using state = message::state;

    static constexpr std::size_t small = 1024;
    static constexpr std::uint64_t kept_for_small = wire::first_window / 4;

    bool fits(const message& m) const noexcept
    {
        return cost(m) + (m.size_ > small ? kept_for_small : 0) <= limit_ - spent_;
    }
    static std::uint64_t cost(const message& m) noexcept { return wire::early_cost(m.size_); }
    void spend_on(message& m) noexcept
    {
        spent_ += cost(m);
        m.state_ = state::fits;
    }
    static void withdraw(message& m);
    message& remove(place at, bool tell);
    void announce();

    std::uint64_t limit_;
    std::uint64_t spent_ = 0;
    std::map<std::uint64_t, message*> waiting_;  // by number, which is the order in which they came
    std::map<tag, std::size_t> tags_;            // how many wait under each
    std::uint64_t numbers_ = 0;                  // given so far
    std::uint64_t last_announced_ = 0;
    std::size_t announced_ = 0;  // of those that wait
    bool failed_ = false;
    gate drained_;
};

inline bool send_window::admits(message& m)
{
    if (m.tag_ >= wire::first_reserved_tag || failed_) return true;
    const bool next = waiting_.empty() || !tags_.contains(m.tag_);
    if (next && fits(m)) {
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
    switch (m.state_) {
    case state::waits: remove(waiting_.find(m.number_), true); return announce();
    case state::fits: spent_ -= cost(m); break;
    case state::granted: withdraw(m); break;
    case state::apart: break;
    }
    m.state_ = state::apart;
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
        if (first.contains(m.tag_) || !fits(m)) {
            first.emplace(m.tag_, &m);
        } else {
            remove(at, true);
            spend_on(m);
            m.permitted();
        }
        at = next;
    }
    announce();
}

inline void send_window::grant(std::uint64_t number)
{
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return;
    message& m = remove(found, false);
    m.state_ = state::granted;
    m.permitted();
    announce();
}

inline void send_window::decline(std::uint64_t number)
{
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return;
    remove(found, false).ended({});
    announce();
}

inline void send_window::fail(std::error_code why)
{
    failed_ = true;
    tags_.clear();
    announced_ = 0;
    for (const auto& [number, m] : std::exchange(waiting_, {})) {
        m->state_ = state::apart;
        m->ended(why);
    }
    drained_.open();
}

inline void send_window::withdraw(message& m)
{
    m.tell({.kind = wire::flow_kind::withdraw,
            .number = m.number_,
            .subject = static_cast<std::uint64_t>(m.tag_)});
}

/// Ends a wait, and lets the receiver know if it is to be told, and has heard of it.
inline send_window::message& send_window::remove(place at, bool tell)
{
    message& m = *at->second;
    m.state_ = state::apart;
    const auto of_tag = tags_.find(m.tag_);
    if (--of_tag->second == 0) tags_.erase(of_tag);
    const bool announced = m.number_ <= last_announced_;
    if (announced) --announced_;
    waiting_.erase(at);
    if (waiting_.empty()) drained_.open();
    if (announced && tell) withdraw(m);
    return m;
}

/// Announces what waits and has not been announced, as far as the receiver takes note of it.
inline void send_window::announce()
{
    while (announced_ < wire::max_announced) {
        const auto next = waiting_.upper_bound(last_announced_);
        if (next == waiting_.end()) return;
        ++announced_;
        last_announced_ = next->first;
        const message& m = *next->second;
        next->second->tell({.kind = wire::flow_kind::announce,
                            .size = static_cast<std::uint32_t>(m.size_),
                            .number = m.number_,
                            .subject = static_cast<std::uint64_t>(m.tag_)});
    }
}

}  // namespace papilio::detail
