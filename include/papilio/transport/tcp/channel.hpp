#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/channel.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::tcp {

namespace detail {
class channel_state;
}

/// A channel over one TCP connection: see the concept `papilio::channel`. Several tasks may send.
class channel {
public:
    channel(asio_loop& on, detail::socket s);
    channel(channel&&) noexcept;
    channel& operator=(channel&&) noexcept;
    ~channel();

    task<> send(bytes message);
    task<std::vector<std::byte>> recv(std::size_t limit);
    task<> close();
    std::string remote() const;

private:
    std::unique_ptr<detail::channel_state> state_;
};

/// Dials until it succeeds: the other side may not have started yet. Throws `errc::timed_out`, and
/// says what went wrong last, when the loop's clock has advanced by `patience`. Name the endpoint
/// before you await this: g++ 12 destroys a temporary one twice.
task<channel> dial(asio_loop& on, endpoint to, duration patience = std::chrono::seconds(30));

/// Takes channels in. Strangers are dropped: whoever does not say hello in time, or says something
/// else. Belongs to `on`; must outlive the tasks that accept.
class listener {
public:
    /// Port 0 lets the system choose. Throws the system's error when `at` cannot be listened at.
    listener(asio_loop& on, const endpoint& at, duration handshake = std::chrono::seconds(5));
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Where it listens, with the port that the system chose if it was asked to.
    endpoint local() const;

    /// The next channel. Those that nobody has accepted are kept, a bounded number of them.
    task<channel> accept();

private:
    struct visitor {
        explicit visitor(task<> t) : work(std::move(t)) {}
        task<> work;
    };

    task<> take_in();
    task<> welcome(detail::socket from);

    asio_loop& loop_;
    duration handshake_;
    detail::acceptor acceptor_;
    std::deque<channel> ready_;
    gate arrived_;
    std::list<visitor> visitors_;
    task<> work_ = take_in();
};

namespace detail {

/// The socket, what waits to be written, and what of the next message has been read.
class channel_state {
public:
    channel_state(asio_loop& on, socket s) : loop_(on), socket_(std::move(s))
    {
        std::error_code unknown;
        const auto other = socket_.remote_endpoint(unknown).address();
        if (!unknown) remote_ = unmapped(other).to_string();
        writer_.start(loop_);
    }
    channel_state(const channel_state&) = delete;
    channel_state& operator=(const channel_state&) = delete;

    const std::string& remote() const noexcept { return remote_; }

    task<> send(bytes message)
    {
        constexpr std::size_t most = std::size_t{1} << 20;  // unwritten, before senders wait
        if (message.size() > max_message) throw std::system_error(errc::too_large);
        while (!end_ && waiting_ > most) {
            written_.close();
            co_await written_.opened();
        }
        if (end_ || closing_) throw std::system_error(end_ ? end_ : errc::disconnected);
        const auto head =
            wire::encode(wire::frame{tag{}, static_cast<std::uint32_t>(message.size())});
        std::vector<std::byte> entry(head.begin(), head.end());
        entry.insert(entry.end(), message.begin(), message.end());
        waiting_ += entry.size();
        queue_.push_back(std::move(entry));
        flush();
        if (!queue_.empty()) has_work_.open();
    }

    /// What has been read stays here between calls, so that dropping one loses nothing.
    task<std::vector<std::byte>> recv(std::size_t limit)
    {
        while (head_read_ < head_.size()) {
            const auto n = read_some(mutable_bytes(head_).subspan(head_read_));
            head_read_ += n;
            if (n == 0) {
                co_await readable(socket_);
            }
        }
        if (body_.empty()) body_.resize(size_of_next(limit));
        while (body_read_ < body_.size()) {
            const auto n = read_some(mutable_bytes(body_).subspan(body_read_));
            body_read_ += n;
            if (n == 0) {
                co_await readable(socket_);
            }
        }
        head_read_ = body_read_ = 0;
        co_return std::exchange(body_, {});
    }

    /// Writes what waits, says that it was the last, and reads until the other side has said so
    /// too: otherwise the system might throw away what has not been read over there.
    task<> close()
    {
        closing_ = true;
        const auto until = loop_.now() + std::chrono::seconds(2);
        try {
            task<> work = part();
            co_await timeout(std::move(work), until);
        } catch (const std::system_error&) {
            // Whoever is gone, or has not answered by now, misses nothing.
        }
        end(errc::disconnected);
    }

private:
    static constexpr std::size_t max_message = std::size_t{64} << 20;

    /// An IPv4 address as such, also where it came through a socket of IPv6.
    static asio::ip::address unmapped(const asio::ip::address& a)
    {
        if (!a.is_v6() || !a.to_v6().is_v4_mapped()) return a;
        return asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
    }

    task<> part()
    {
        while (!end_ && !queue_.empty()) {
            written_.close();
            co_await written_.opened();
        }
        if (end_) co_return;
        std::error_code ignored;
        socket_.shutdown(socket::shutdown_send, ignored);
        std::array<std::byte, 4096> nowhere;
        while (!end_) {
            const auto n = read_some(nowhere);
            if (n == 0) {
                co_await readable(socket_);
            }
        }
    }

    /// Nothing, if nothing is there yet.
    std::size_t read_some(mutable_bytes into)
    {
        if (end_) throw std::system_error(end_);
        std::error_code error;
        const auto n = socket_.read_some(asio::buffer(into.data(), into.size()), error);
        if (error && error != asio::error::would_block) {
            end(errc::disconnected);
            throw std::system_error(errc::disconnected);
        }
        return n;
    }

    std::size_t size_of_next(std::size_t limit)
    {
        try {
            const auto next = wire::parse_frame(head_.data());
            if (next.what != tag{}) throw std::system_error(errc::bad_message);
            if (next.size > limit) throw std::system_error(errc::too_large);
            return next.size;
        } catch (const std::system_error& failure) {
            end(failure.code());  // there is no finding the place again
            throw;
        }
    }

    void flush()
    {
        while (!queue_.empty() && !end_) {
            const auto rest = bytes(queue_.front()).subspan(front_written_);
            std::error_code error;
            const auto n = socket_.write_some(asio::buffer(rest.data(), rest.size()), error);
            if (error == asio::error::would_block) return;
            if (error) return end(errc::disconnected);
            waiting_ -= n;
            front_written_ += n;
            if (n < rest.size()) continue;
            front_written_ = 0;
            queue_.pop_front();
            written_.open();
        }
    }

    task<> write()
    {
        while (!end_) {
            co_await has_work_.opened();
            has_work_.close();
            while (!queue_.empty() && !end_) {
                co_await writable(socket_);
                flush();
            }
        }
    }

    void end(std::error_code why)
    {
        if (end_) return;
        end_ = why;
        std::error_code ignored;  // a socket that is broken may be broken in any way
        socket_.close(ignored);
        queue_.clear();
        waiting_ = front_written_ = 0;
        written_.open();
    }

    asio_loop& loop_;
    socket socket_;
    std::string remote_;
    std::error_code end_;
    bool closing_ = false;

    std::deque<std::vector<std::byte>> queue_;
    std::size_t front_written_ = 0;
    std::size_t waiting_ = 0;  // bytes in the queue
    gate has_work_;
    gate written_;

    std::array<std::byte, wire::frame::encoded_size> head_{};
    std::size_t head_read_ = 0;
    std::vector<std::byte> body_;
    std::size_t body_read_ = 0;

    task<> writer_ = write();
};

inline task<> say_channel_hello(socket& s)
{
    const auto hello = wire::channel_hello();
    co_await write_all(s, hello);
}

inline task<> hear_channel_hello(socket& s)
{
    std::array<std::byte, wire::channel_hello_size> heard{};
    co_await read_all(s, heard);
    if (!wire::is_channel_hello(heard.data()))
        throw std::system_error(errc::refused, "another protocol, or another version of this one");
}

inline task<> open_channel(socket& s, const endpoint& to)
{
    co_await reach(s, to);
    tune(s, nullptr);
    co_await say_channel_hello(s);
    co_await hear_channel_hello(s);
}

inline task<> greet(socket& s)
{
    co_await hear_channel_hello(s);
    co_await say_channel_hello(s);
}

}  // namespace detail

inline channel::channel(asio_loop& on, detail::socket s)
    : state_(std::make_unique<detail::channel_state>(on, std::move(s)))
{
}
inline channel::channel(channel&&) noexcept = default;
inline channel& channel::operator=(channel&&) noexcept = default;
inline channel::~channel() = default;

inline task<> channel::send(bytes message)
{
    return state_->send(message);
}

inline task<std::vector<std::byte>> channel::recv(std::size_t limit)
{
    return state_->recv(limit);
}

inline task<> channel::close()
{
    return state_->close();
}

inline std::string channel::remote() const
{
    return state_->remote();
}

inline task<channel> dial(asio_loop& on, endpoint to, duration patience)
{
    const auto deadline = on.now() + patience;
    duration pause = std::chrono::milliseconds(10);
    std::string last = "no answer";
    for (;;) {
        detail::socket s(on.context());
        bool good = false;
        try {
            task<> attempt = detail::open_channel(s, to);
            const duration once = std::chrono::seconds(5);
            co_await timeout(std::move(attempt), std::min(deadline, on.now() + once));
            good = true;
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::timed_out) last = failure.what();
        }
        if (good) co_return channel(on, std::move(s));
        if (on.now() + pause >= deadline)
            throw std::system_error(errc::timed_out, "cannot reach " + to_string(to) + ": " + last);
        co_await sleep_for(pause);
        pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
    }
}

inline listener::listener(asio_loop& on, const endpoint& at, duration handshake)
    : loop_(on), handshake_(handshake), acceptor_(on.context())
{
    detail::listen_at(acceptor_, at);
    work_.start(loop_);
}

inline endpoint listener::local() const
{
    const auto at = acceptor_.local_endpoint();
    return {at.address().to_string(), at.port()};
}

inline task<channel> listener::accept()
{
    while (ready_.empty()) {
        arrived_.close();
        co_await arrived_.opened();
    }
    channel next = std::move(ready_.front());
    ready_.pop_front();
    co_return next;
}

inline task<> listener::take_in()
{
    constexpr std::size_t most = 64;
    for (;;) {
        co_await detail::readable(acceptor_);
        std::erase_if(visitors_, [](const visitor& v) { return v.work.finished(); });
        std::error_code error;
        detail::socket s = acceptor_.accept(error);
        if (error || visitors_.size() + ready_.size() >= most) {
            // Out of file descriptors, or beset by strangers: those who are being heard come first.
            if (error != asio::error::would_block)
                co_await sleep_for(std::chrono::milliseconds(10));
            continue;
        }
        visitors_.emplace_back(welcome(std::move(s)));
        visitors_.back().work.start(loop_);
    }
}

inline task<> listener::welcome(detail::socket from)
{
    detail::socket s = std::move(from);  // closes when this ends, `from` when its frame dies
    try {
        detail::tune(s, nullptr);
        task<> handshake = detail::greet(s);
        co_await timeout(std::move(handshake), loop_.now() + handshake_);
    } catch (const std::system_error&) {
        co_return;  // a stranger
    }
    ready_.emplace_back(loop_, std::move(s));
    arrived_.open();
}

}  // namespace papilio::tcp
