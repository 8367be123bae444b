#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/frame_reader.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/detail/send_queue.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/flow.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Receives the events of a connection, on the loop. The last two are called at most once.
struct connection_owner {
    virtual ~connection_owner() = default;
    virtual void on_bytes() = 0;                    ///< bytes have arrived
    virtual void on_flow(const wire::flow& f) = 0;  ///< the peer says what may be sent
    virtual void on_end(std::error_code why) = 0;   ///< nothing is sent or received any more
    virtual void on_peer_shutdown() = 0;            ///< the peer will send no more messages
};

/// Sends and receives messages over one stream of bytes. What arrives goes to a mailbox; what is
/// sent waits for the window of its link, and then in a queue that borrows the senders' buffers.
///
/// Where the other end reaches this one's memory, messages are lent: the stream carries only where
/// they lie, and the send lasts until the other end is through with them.
class connection final : borrower, loan_returns {
public:
    connection(loop& on, std::unique_ptr<byte_stream> s, mailbox& inbox, int peer,
               std::size_t max_message, send_window& window, connection_owner& owner);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    ~connection() override;

    class outgoing;

    /// Awaiting it sends one message. `message` must stay valid until then; when the wait is
    /// dropped half-way, the connection keeps a copy of the rest, so that the stream stays whole.
    /// It is queued ahead of every lower-priority message that has not started.
    outgoing send(tag t, bytes message, int priority = 0);

    /// Sends a small message ahead of all that wait in the queue; what the stream does not take at
    /// once is copied. False if too many wait.
    bool post(tag t, bytes message);

    /// The same, but only queues a copy, as whoever is called while a message is read must.
    bool post_later(tag t, bytes message);

    /// Queues a frame of flow control behind what has at least this priority.
    void send_flow(const wire::flow& f, int priority = first)
    {
        if (ended()) return;
        queue_.push_copy(wire::flow_tag, wire::encode(f), priority);
        has_work_.open();
    }

    /// Queues one that answers the peer, ahead of all others.
    void answer(const wire::flow& f) { send_flow(f, send_queue::answer); }
    std::size_t answers_waiting() const noexcept { return queue_.answers(); }

    /// Queues a frame without content.
    void send_control(tag t)
    {
        if (ended()) return;
        queue_.push_control(t);
        has_work_.open();
    }

    /// For how long data has been waiting for the other host's acknowledgement.
    duration unacknowledged() { return ended() ? duration{} : stream_->unacknowledged(); }

    const char* kind() const { return stream_->kind(); }

    /// Bytes that the other host has acknowledged.
    std::uint64_t arrived()
    {
        const auto written = queue_.bytes_written() + bytes_returned_;
        return ended() ? written : written - std::min(written, stream_->undelivered());
    }

    std::optional<duration> round_trip() { return ended() ? std::nullopt : stream_->round_trip(); }

    /// True if nothing waits to be written.
    bool drained() const noexcept { return queue_.empty(); }
    bool ended() const noexcept { return !!end_; }

    /// True if the peer has sent its shutdown frame.
    bool peer_shut_down() const noexcept { return peer_shut_down_; }

    /// Closes the stream; messages that wait to be sent fail with `why`.
    void end(std::error_code why);

private:
    class posted;
    class written_at_once;

    static constexpr int first = send_queue::answer - 1;

    lent_ptr borrow(const wire::loan& l) override;
    void give_back(std::uint64_t number) override
    {
        answer({.kind = wire::flow_kind::returned, .number = number});
    }
    void take_returned(std::uint64_t number);
    bool may_post() const noexcept;
    void flush();
    bool parse();
    task<> write();
    task<> read();

    loop& loop_;
    send_window& window_;
    std::unique_ptr<byte_stream> stream_;
    send_queue queue_;
    frame_reader frames_;
    connection_owner& owner_;
    std::error_code end_;
    bool peer_shut_down_ = false;
    gate has_work_;
    std::list<std::unique_ptr<posted>> posted_;  // that wait for the window
    std::map<std::uint64_t, outgoing*> loans_;   // by number: what is lent to the other end
    std::uint64_t bytes_returned_ = 0;           // of loans
    std::shared_ptr<loan_returns*> returns_ =
        std::make_shared<loan_returns*>(static_cast<loan_returns*>(this));
    task<> reader_ = read();
    task<> writer_ = write();
};

/// Writes as much of the queue as the stream takes.
inline void connection::flush()
{
    while (!queue_.empty()) {
        std::array<bytes, 24> pieces;
        std::error_code error;
        const auto n = stream_->write_some(queue_.gather(pieces), error);
        if (error) return end(error);
        if (n == 0) return;
        queue_.written(n);
    }
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

/// One that has been taken back meanwhile is returned at once.
inline lent_ptr connection::borrow(const wire::loan& l)
{
    auto lent = stream_->lending()->borrow(l);
    if (lent)
        lent->set_returns(returns_);
    else
        give_back(l.number);
    return lent;
}

/// Parses what has been read. True if a large message is complete and its receiver should run.
inline bool connection::parse()
{
    for (;;) {
        switch (frames_.parse()) {
        case frame_reader::status::needs_bytes: return false;
        case frame_reader::status::large_message: return true;
        case frame_reader::status::flow:
            if (frames_.flow().kind == wire::flow_kind::returned)
                take_returned(frames_.flow().number);
            else
                owner_.on_flow(frames_.flow());
            break;
        case frame_reader::status::peer_shutdown:
            peer_shut_down_ = true;
            owner_.on_peer_shutdown();
            break;
        }
    }
}

/// Reads messages until the stream ends or carries no frame where one must be. Lets other tasks run
/// between small messages that were not read together, after each large one, and within a large one
/// after a megabyte: a fast sender must not keep the loop from the other connections. Where there
/// was less than there was space for, there is no more before the stream is readable again.
inline task<> connection::read()
{
    constexpr std::size_t turn = std::size_t{1} << 20;
    std::size_t in_turn = 0;  // bytes read into messages since the last wait
    co_await yield{};         // the owner is not constructed yet
    try {
        while (!ended()) {  // what has been read and not parsed by then is of no use any more
            const auto into = frames_.buffers();
            std::error_code error;
            const auto n = stream_->read_some(into, error);
            if (error) throw std::system_error(error);
            if (n > 0) owner_.on_bytes();
            const bool within = frames_.in_message();
            in_turn += frames_.received(n);
            while (!ended() && parse()) {
                co_await yield{};
            }
            const bool drained = n < into[0].size() + into[1].size();
            if (!drained && within && in_turn < turn) continue;
            in_turn = 0;
            if (drained && !ended())
                co_await stream_->readable();
            else
                co_await yield{};
        }
    } catch (const std::system_error& failure) {
        end(failure.code());
    } catch (const std::bad_alloc&) {
        end(make_error_code(std::errc::not_enough_memory));
    }
}

}  // namespace papilio::detail

#include <papilio/transport/detail/outgoing.hpp>
#include <papilio/transport/detail/posted.hpp>
