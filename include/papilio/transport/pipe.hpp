#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/channel.hpp>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio {

/// One end of a channel within a process, both ends on one loop; made by `make_pipe`.
class pipe {
public:
    pipe(pipe&&) noexcept = default;
    pipe& operator=(pipe&& other) noexcept
    {
        std::swap(out_, other.out_);
        std::swap(in_, other.in_);
        return *this;
    }
    ~pipe()
    {
        if (out_) out_->end();
        if (in_) in_->end();
    }

    task<> send(bytes message) { return send_on(out_, message); }
    task<std::vector<std::byte>> recv(std::size_t limit) { return recv_on(in_, limit); }
    task<> close() { return close_both(out_, in_); }
    std::string remote() const { return "here"; }

private:
    friend std::pair<pipe, pipe> make_pipe(loop& on, duration latency);

    /// One direction. Both ends and the tasks at work hold it.
    struct line {
        line(loop& l, duration d) : on(l), latency(d) {}

        void end() noexcept
        {
            if (ended) return;
            ended = true;
            ends = on.now() + latency;
            arrived.open();
            room.open();
        }

        struct letter {
            time_point arrives;
            std::vector<std::byte> content;
        };

        loop& on;
        duration latency;
        /// What a letter holds, bookkeeping included: empty ones count too.
        static constexpr std::size_t cost(std::size_t content) noexcept { return content + 64; }

        std::deque<letter> letters;
        std::size_t held = 0;
        bool ended = false;
        time_point ends{};
        gate arrived;
        gate room;
    };
    using shared_line = std::shared_ptr<line>;

    pipe(shared_line out, shared_line in) : out_(std::move(out)), in_(std::move(in)) {}

    static task<> send_on(shared_line to, bytes message)
    {
        constexpr std::size_t most = std::size_t{256} << 10;  // unread, before senders wait
        while (!to->ended && to->held > most) {
            to->room.close();
            co_await to->room.opened();
        }
        if (to->ended) throw std::system_error(errc::disconnected);
        to->letters.push_back({to->on.now() + to->latency, {message.begin(), message.end()}});
        to->held += line::cost(message.size());
        to->arrived.open();
    }

    static task<std::vector<std::byte>> recv_on(shared_line from, std::size_t limit)
    {
        for (;;) {
            if (!from->letters.empty()) {
                const auto arrives = from->letters.front().arrives;
                if (arrives <= from->on.now()) break;
                co_await sleep_until(arrives);
            } else if (from->ended) {
                co_await sleep_until(from->ends);
                throw std::system_error(errc::disconnected);
            } else {
                from->arrived.close();
                co_await from->arrived.opened();
            }
        }
        if (from->letters.front().content.size() > limit) {
            from->end();
            throw std::system_error(errc::too_large);
        }
        auto message = std::move(from->letters.front().content);
        from->letters.pop_front();
        from->held -= line::cost(message.size());
        from->room.open();
        co_return message;
    }

    static task<> close_both(shared_line out, shared_line in)
    {
        out->end();
        in->end();
        co_return;
    }

    shared_line out_;
    shared_line in_;
};

/// A channel between two parts of a program on one loop, real or simulated: a message takes
/// `latency` to the other end. Messages that are under way when an end closes still arrive.
inline std::pair<pipe, pipe> make_pipe(loop& on, duration latency = {})
{
    auto there = std::make_shared<pipe::line>(on, latency);
    auto back = std::make_shared<pipe::line>(on, latency);
    return {pipe(there, back), pipe(back, there)};
}

}  // namespace papilio
