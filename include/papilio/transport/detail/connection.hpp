#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/inbound_message.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::detail {

/// What the owner of a connection wants to know of it. Called on the loop, the last two once.
struct connection_owner {
    virtual ~connection_owner() = default;
    virtual void heard() = 0;                     ///< bytes came
    virtual void ended(std::error_code why) = 0;  ///< the connection is of no use any more
    virtual void on_peer_shutdown() = 0;          ///< the other side will send nothing more
};

/// A stream of bytes that carries frames. What comes in goes to a mailbox; what goes out waits its
/// turn in a queue that borrows the senders' buffers.
class connection {
public:
    connection(loop& on, std::unique_ptr<byte_stream> s, mailbox& inbox, int peer,
               std::size_t max_message, connection_owner& owner)
        : loop_(on),
          stream_(std::move(s)),
          inbox_(inbox),
          peer_(peer),
          max_message_(max_message),
          owner_(owner)
    {
        reader_.start(loop_);
        writer_.start(loop_);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    class outgoing;

    /// Awaiting it sends one message. `message` must stay until then; when the wait is dropped
    /// half-way through, the connection keeps a copy of the rest, so that the stream stays whole.
    /// It goes before all that has not begun and has a lower priority.
    outgoing send(tag t, bytes message, int priority = 0);

    /// Sends a frame without content, in its turn.
    void send_control(tag t)
    {
        if (ended()) return;
        const auto frame = wire::encode(wire::frame{t, 0});
        enqueue({nullptr, {frame.begin(), frame.end()}, t == wire::shutdown ? last : 0});
        has_work_.open();
    }

    /// How long the other host has owed an acknowledgement.
    duration unacknowledged() { return ended() ? duration{} : stream_->unacknowledged(); }

    const char* kind() const { return stream_->kind(); }

    /// Bytes of which the other host has said that they are there.
    std::uint64_t arrived()
    {
        return ended() ? written_ : written_ - std::min(written_, stream_->undelivered());
    }

    std::optional<duration> round_trip() { return ended() ? std::nullopt : stream_->round_trip(); }

    /// True if nothing waits to be written.
    bool drained() const noexcept { return queue_.empty(); }
    bool ended() const noexcept { return !!end_; }

    /// True if the other side has said farewell.
    bool peer_shut_down() const noexcept { return peer_shut_down_; }

    /// Gives the connection up: what waits to be sent fails with `why`.
    void end(std::error_code why);

private:
    /// What waits to be written: a message that a task stands by, or bytes of our own.
    struct entry {
        outgoing* of;
        std::vector<std::byte> own;
        int priority;
    };
    static constexpr int last = std::numeric_limits<int>::min();  // a farewell's priority

    /// Two borrowed ranges, of which `done` bytes are written already.
    struct pending {
        bytes head;
        bytes body;
        std::size_t size() const noexcept { return head.size() + body.size(); }
    };

    pending unwritten(const entry& e) const noexcept;
    void enqueue(entry e);
    void flush();
    void written(std::size_t n);
    void forget(outgoing& o);
    task<> write();
    task<> read();
    task<> receive(tag t, std::size_t size);
    std::size_t read_some(mutable_bytes first, std::size_t& all);

    loop& loop_;
    std::unique_ptr<byte_stream> stream_;
    mailbox& inbox_;
    int peer_;
    std::size_t max_message_;
    connection_owner& owner_;
    std::error_code end_;
    bool peer_shut_down_ = false;

    std::deque<entry> queue_;
    std::size_t front_done_ = 0;  // bytes of the front entry that are written
    bool front_begun_ = false;    // of the message that it is, or is the rest of
    std::uint64_t written_ = 0;   // bytes of all that ever were in the queue
    gate has_work_;

    std::array<std::byte, 4096> scratch_;  // frames, and the first bytes behind them
    std::size_t scratch_begin_ = 0;
    std::size_t scratch_end_ = 0;
    std::vector<std::byte> nowhere_;  // where unwanted bytes go

    task<> reader_ = read();
    task<> writer_ = write();
};

/// One message on its way out.
class [[nodiscard]] connection::outgoing {
public:
    outgoing(connection& c, tag t, bytes message, int priority) noexcept
        : connection_(c),
          head_(wire::encode(wire::frame{t, static_cast<std::uint32_t>(message.size())})),
          message_(message),
          priority_(t == wire::shutdown ? last : priority)
    {
    }
    outgoing(const outgoing&) = delete;
    outgoing& operator=(const outgoing&) = delete;
    ~outgoing()
    {
        if (queued_) connection_.forget(*this);
    }

    /// With nobody before it, a message need not wait.
    bool await_ready()
    {
        error_ = connection_.end_;
        if (error_) return true;
        const bool first = connection_.queue_.empty();
        connection_.enqueue({this, {}, priority_});
        queued_ = true;
        if (first) connection_.flush();
        return !queued_;
    }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        connection_.has_work_.open();
    }

    void await_resume() const
    {
        if (error_) throw std::system_error(error_);
    }

private:
    friend class connection;

    void finish(std::error_code error) noexcept
    {
        queued_ = false;
        error_ = error;
        if (on_) on_->post(wake_);
    }

    connection& connection_;
    std::array<std::byte, wire::frame::encoded_size> head_;
    bytes message_;
    int priority_;
    bool queued_ = false;
    std::error_code error_;
    loop* on_ = nullptr;
    resume wake_;
};

inline connection::outgoing connection::send(tag t, bytes message, int priority)
{
    return {*this, t, message, priority};
}

/// Behind everything of at least its priority, and what is half written.
inline void connection::enqueue(entry e)
{
    auto place = queue_.end();
    const auto first = queue_.begin() + (front_begun_ ? 1 : 0);
    while (place != first && std::prev(place)->priority < e.priority) --place;
    queue_.insert(place, std::move(e));
}

inline connection::pending connection::unwritten(const entry& e) const noexcept
{
    pending p;
    if (e.of)
        p = {e.of->head_, e.of->message_};
    else
        p = {e.own, {}};
    if (&e != &queue_.front()) return p;
    const auto of_head = std::min(front_done_, p.head.size());
    p.head = p.head.subspan(of_head);
    p.body = p.body.subspan(front_done_ - of_head);
    return p;
}

/// Writes as much of the queue as the system takes.
inline void connection::flush()
{
    while (!queue_.empty()) {
        std::array<bytes, 16> pieces;
        std::size_t used = 0;
        for (std::size_t i = 0; i < queue_.size() && used + 2 <= pieces.size(); ++i) {
            const auto p = unwritten(queue_[i]);
            pieces[used++] = p.head;
            pieces[used++] = p.body;
        }
        std::error_code error;
        const auto n = stream_->write_some(std::span(pieces).first(used), error);
        if (error) return end(error);
        if (n == 0) return;
        written_ += n;
        written(n);
    }
}

inline void connection::written(std::size_t n)
{
    while (!queue_.empty()) {
        const auto left = unwritten(queue_.front()).size();
        if (n < left) {
            front_done_ += n;
            front_begun_ = front_begun_ || n > 0;
            return;
        }
        n -= left;
        front_done_ = 0;
        front_begun_ = false;
        const auto done = std::move(queue_.front());
        queue_.pop_front();
        if (done.of) done.of->finish({});
    }
}

/// The task that stood by a message is gone. A message that has not begun is taken back.
inline void connection::forget(outgoing& o)
{
    const auto found = std::ranges::find(queue_, &o, &entry::of);
    if (found != queue_.begin() || front_done_ == 0) {
        queue_.erase(found);
        return;
    }
    const auto rest = unwritten(*found);
    std::vector<std::byte> own(rest.head.begin(), rest.head.end());
    own.insert(own.end(), rest.body.begin(), rest.body.end());
    *found = {nullptr, std::move(own), found->priority};
    front_done_ = 0;
}

inline void connection::end(std::error_code why)
{
    if (end_) return;
    end_ = why;
    stream_->close();
    for (auto& waiting : std::exchange(queue_, {}))
        if (waiting.of) waiting.of->finish(why);
    front_done_ = 0;
    owner_.ended(why);
}

inline task<> connection::write()
{
    while (!ended()) {
        co_await has_work_.opened();
        has_work_.close();
        flush();
        while (!queue_.empty()) {
            co_await stream_->writable();
            flush();
        }
    }
}

/// Reads into `first` and, beyond it, into the scratch; throws at the end of the stream.
inline std::size_t connection::read_some(mutable_bytes first, std::size_t& all)
{
    const std::array<mutable_bytes, 2> into{first, mutable_bytes(scratch_).subspan(scratch_end_)};
    std::error_code error;
    all = stream_->read_some(into, error);
    if (error) throw std::system_error(error);
    if (all > 0) owner_.heard();
    const auto of_first = std::min(all, first.size());
    scratch_end_ += all - of_first;
    return of_first;
}

/// Reads frames until the stream ends. Many small messages come with one call; of a large one all
/// but the first bytes are read where they belong.
inline task<> connection::read()
{
    co_await yield{};  // until the owner is complete
    try {
        for (;;) {
            while (scratch_end_ - scratch_begin_ >= wire::frame::encoded_size) {
                const auto frame = wire::parse_frame(scratch_.data() + scratch_begin_);
                scratch_begin_ += wire::frame::encoded_size;
                const bool farewell = frame.what == wire::shutdown;
                if (farewell && !std::exchange(peer_shut_down_, true)) owner_.on_peer_shutdown();
                if (farewell || frame.what == wire::heartbeat) continue;
                if (frame.size > max_message_) throw std::system_error(errc::too_large);
                co_await receive(frame.what, frame.size);
            }
            std::copy(scratch_.begin() + static_cast<std::ptrdiff_t>(scratch_begin_),
                      scratch_.begin() + static_cast<std::ptrdiff_t>(scratch_end_),
                      scratch_.begin());
            scratch_end_ -= std::exchange(scratch_begin_, 0);
            std::size_t n = 0;
            read_some({}, n);
            if (n == 0)
                co_await stream_->readable();
            else
                co_await yield{};  // whoever floods us must not keep us from the others
        }
    } catch (const std::system_error& failure) {
        end(failure.code());
    } catch (const std::bad_alloc&) {
        end(make_error_code(std::errc::not_enough_memory));
    }
}

inline task<> connection::receive(tag t, std::size_t size)
{
    constexpr std::size_t turn = std::size_t{1} << 20;  // then others have theirs
    inbound_message message(inbox_, peer_, t, size);
    std::size_t in_turn = 0;
    while (message.left() > 0) {
        auto room = message.destination();
        if (room.empty()) {
            nowhere_.resize(std::min(message.left(), std::size_t{64} << 10));
            room = nowhere_;
        }
        std::size_t n = std::min(room.size(), scratch_end_ - scratch_begin_);
        if (n > 0) {
            std::ranges::copy(bytes(scratch_).subspan(scratch_begin_, n), room.begin());
            scratch_begin_ += n;
            message.advance(n);
            continue;
        }
        scratch_begin_ = scratch_end_ = 0;
        std::size_t all = 0;
        n = read_some(room, all);
        message.advance(n);
        in_turn += n;
        if (all == 0) {
            in_turn = 0;
            co_await stream_->readable();
        }
        if (in_turn >= turn) {
            in_turn = 0;
            co_await yield{};
        }
    }
    message.finish();
    if (size > scratch_.size()) {
        co_await yield{};  // whoever waited may post the next receive
    }
}

}  // namespace papilio::detail
