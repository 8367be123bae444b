#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>
#include <papilio/transport/detail/running_crc.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Messages that wait to be written to one stream, as frames, by priority. Pure: its owner writes
/// the bytes that `gather` names and reports to `written` how many the stream took.
class send_queue {
public:
    /// A message whose bytes belong to its sender. It stays where it is, and its body stays valid,
    /// from `push` until `finish` is called or it is withdrawn.
    class message {
    public:
        message(tag t, bytes body, int priority) noexcept
            : head_(wire::encode(wire::frame{t, static_cast<std::uint32_t>(body.size())})),
              body_(body),
              priority_(t == wire::shutdown ? last : priority)
        {
        }
        message(const message&) = delete;
        message& operator=(const message&) = delete;

    protected:
        ~message() = default;

    private:
        friend class send_queue;

        /// All bytes are written, or never will be because of `error`. Must not change the queue.
        virtual void finish(std::error_code error) noexcept = 0;

        std::array<std::byte, wire::frame::encoded_size> head_;
        bytes body_;
        int priority_;
        running_crc crc_;  // follows the body, where the stream wants it
    };

    explicit send_queue(wire::content_check check = wire::content_check::none) noexcept
        : check_(check)
    {
    }

    /// The priority of answers to the peer, which are copies, and counted.
    static constexpr int answer = std::numeric_limits<int>::max();
    std::size_t answers() const noexcept { return answers_; }

    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }

    /// Bytes written so far, frames included.
    std::uint64_t bytes_written() const noexcept { return bytes_written_; }

    /// Bytes that `written` has not seen yet.
    std::size_t bytes_waiting() const noexcept { return bytes_waiting_; }

    /// Queues `m` ahead of every lower-priority message that has not started. The shutdown frame
    /// goes last, whatever its priority.
    void push(message& m) { insert({&m, {}, m.priority_}); }

    /// Queues a frame without a body, such as a heartbeat.
    void push_control(tag t) { push_copy(t, {}, t == wire::shutdown ? last : 0); }

    /// Queues a copy of a message.
    void push_copy(tag t, bytes body, int priority)
    {
        const auto head = wire::encode(wire::frame{t, static_cast<std::uint32_t>(body.size())});
        std::vector<std::byte> copy(head.begin(), head.end());
        copy.insert(copy.end(), body.begin(), body.end());
        if (check_size(body) > 0) {
            copy.resize(copy.size() + 4);
            store(copy.data() + copy.size() - 4, crc32c(body));
        }
        insert({nullptr, std::move(copy), priority});
    }

    /// Takes `m` back, which is in the queue: its sender is gone, and `finish` is not called. If
    /// some of it has been written, the queue keeps a copy of the rest, since the stream must carry
    /// whole frames. True if nothing of it has been, and it will not be sent.
    bool withdraw(const message& m);

    /// The next bytes to write, as many as fit `to`, which has space for three or more. They stay
    /// valid until the queue changes, and are not to change themselves. Where contents are checked,
    /// no more than the processor's cache holds, which the sum has just been through.
    std::span<const bytes> gather(std::span<bytes> to);

    /// The stream has taken the next `n` bytes. Finishes the messages that are complete, and
    /// returns true if there were any, or copies.
    bool written(std::size_t n);

    /// Empties the queue; its messages finish with `why`.
    void fail(std::error_code why);

private:
    static constexpr int last = std::numeric_limits<int>::min();

    /// A message of a sender, or a copy that belongs to the queue.
    struct entry {
        message* borrowed;
        std::vector<std::byte> copy;
        int priority;
    };

    /// What of an entry is not written.
    struct remainder {
        bytes head;
        bytes body;
        bytes check;
        std::size_t size() const noexcept { return head.size() + body.size() + check.size(); }
    };

    void insert(entry e);
    std::size_t check_size(bytes body) const noexcept
    {
        return wire::check_size(check_, body.size());
    }
    remainder unwritten(const entry& e) const noexcept;
    bool sum_next(const entry& e, remainder& rest) const noexcept;

    wire::content_check check_;

    std::deque<entry> entries_;
    std::size_t front_written_ = 0;  // bytes of the front entry
    bool front_started_ = false;     // some of its frame is written, perhaps as another entry
    std::uint64_t bytes_written_ = 0;
    std::size_t bytes_waiting_ = 0;
    std::size_t answers_ = 0;
};

/// The place is behind all entries of at least the same priority, and behind a frame that is half
/// written.
inline void send_queue::insert(entry e)
{
    auto place = entries_.end();
    const auto first = entries_.begin() + (front_started_ ? 1 : 0);
    answers_ += e.priority == answer;
    while (place != first && std::prev(place)->priority < e.priority) --place;
    if (place == entries_.end())  // not by `insert`: at the front of an empty deque it allocates
        bytes_waiting_ += unwritten(entries_.emplace_back(std::move(e))).size();
    else
        bytes_waiting_ += unwritten(*entries_.insert(place, std::move(e))).size();
}

inline send_queue::remainder send_queue::unwritten(const entry& e) const noexcept
{
    remainder r;
    if (e.borrowed)
        r = {e.borrowed->head_, e.borrowed->body_,
             e.borrowed->crc_.encoded().first(check_size(e.borrowed->body_))};
    else
        r = {e.copy, {}, {}};
    if (&e != &entries_.front()) return r;
    auto gone = front_written_;
    for (auto* piece : {&r.head, &r.body, &r.check}) {
        const auto n = std::min(gone, piece->size());
        *piece = piece->subspan(n);
        gone -= n;
    }
    return r;
}

/// Sums what of the body goes out next, and cuts `rest` behind it. True if that is all.
inline bool send_queue::sum_next(const entry& e, remainder& rest) const noexcept
{
    if (rest.check.empty()) return true;
    const bytes body = e.borrowed->body_;
    running_crc& crc = e.borrowed->crc_;
    const auto written = body.size() - rest.body.size();
    crc.sum(body, std::min(body.size(), written + running_crc::cached));
    if (crc.summed() == body.size()) return true;
    rest.body = rest.body.first(crc.summed() - written);
    rest.check = {};
    return false;
}

inline bool send_queue::withdraw(const message& m)
{
    const auto found = std::ranges::find(entries_, &m, &entry::borrowed);
    PAPILIO_CHECK(found != entries_.end(), "only a queued message can be withdrawn");
    const auto rest = unwritten(*found);
    if (found != entries_.begin() || front_written_ == 0) {
        bytes_waiting_ -= rest.size();
        entries_.erase(found);
        return true;
    }
    if (!rest.check.empty())
        found->borrowed->crc_.sum(found->borrowed->body_, found->borrowed->body_.size());
    std::vector<std::byte> copy(rest.head.begin(), rest.head.end());
    copy.insert(copy.end(), rest.body.begin(), rest.body.end());
    copy.insert(copy.end(), rest.check.begin(), rest.check.end());
    *found = {nullptr, std::move(copy), found->priority};
    front_written_ = 0;
    return false;
}

inline std::span<const bytes> send_queue::gather(std::span<bytes> to)
{
    const bool checked = check_ != wire::content_check::none;
    std::size_t used = 0, size = 0;
    for (const auto& e : entries_) {
        if (used + 3 > to.size() || (checked && size >= running_crc::cached)) break;
        auto rest = unwritten(e);
        const bool whole = sum_next(e, rest);
        for (const auto piece : {rest.head, rest.body, rest.check})
            if (!piece.empty()) to[used++] = piece;
        size += rest.size();
        if (!whole) break;
    }
    return to.first(used);
}

inline bool send_queue::written(std::size_t n)
{
    bytes_written_ += n;
    bytes_waiting_ -= n;
    bool finished = false;
    while (!entries_.empty()) {
        const auto left = unwritten(entries_.front()).size();
        if (n < left) {
            front_written_ += n;
            front_started_ = front_started_ || n > 0;
            return finished;
        }
        n -= left;
        front_written_ = 0;
        front_started_ = false;
        finished = true;
        const auto done = std::move(entries_.front());
        entries_.pop_front();
        answers_ -= done.priority == answer;
        if (done.borrowed) done.borrowed->finish({});
    }
    return finished;
}

inline void send_queue::fail(std::error_code why)
{
    for (auto& e : std::exchange(entries_, {}))
        if (e.borrowed) e.borrowed->finish(why);
    front_written_ = 0;
    front_started_ = false;
    bytes_waiting_ = answers_ = 0;
}

}  // namespace papilio::detail
