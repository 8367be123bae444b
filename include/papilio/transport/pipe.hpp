#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/channel.hpp>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

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

    /// One direction. Shared by both ends and by the tasks that use it.
    struct direction {
        direction(loop& l, duration d) : on(l), latency(d) {}

        void end() noexcept
        {
            if (ended) return;
            ended = true;
            ends = later(on.now(), latency);
            arrived.open();
            space.open();
        }

        struct queued_message {
            time_point arrives;
            std::vector<std::byte> content;
        };

        loop& on;
        duration latency;
        /// Memory of a message. The constant stands for bookkeeping, so that empty ones count.
        static constexpr std::size_t cost(std::size_t content) noexcept { return content + 64; }

        std::deque<queued_message> messages;
        std::size_t held = 0;
        bool ended = false;
        time_point ends{};
        gate arrived;
        gate space;
    };
    using shared_direction = std::shared_ptr<direction>;

    pipe(shared_direction out, shared_direction in) : out_(std::move(out)), in_(std::move(in)) {}

    static task<> send_on(shared_direction to, bytes message)
    {
        constexpr std::size_t max_held = std::size_t{256} << 10;  // unread bytes
        while (!to->ended && to->held > max_held) {
            to->space.close();
            co_await to->space.opened();
        }
        if (to->ended) throw std::system_error(errc::disconnected);
        to->messages.push_back(
            {later(to->on.now(), to->latency), {message.begin(), message.end()}});
        to->held += direction::cost(message.size());
        to->arrived.open();
    }

    static task<std::vector<std::byte>> recv_on(shared_direction from, std::size_t limit)
    {
        for (;;) {
            if (!from->messages.empty()) {
                const auto arrives = from->messages.front().arrives;
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
        if (from->messages.front().content.size() > limit) {
            from->end();
            throw std::system_error(
                errc::too_large,
                "a message of " + std::to_string(from->messages.front().content.size()) +
                    " bytes exceeds the limit of " + std::to_string(limit) + " bytes");
        }
        auto message = std::move(from->messages.front().content);
        from->messages.pop_front();
        from->held -= direction::cost(message.size());
        from->space.open();
        co_return message;
    }

    static task<> close_both(shared_direction out, shared_direction in)
    {
        out->end();
        in->end();
        co_return;
    }

    shared_direction out_;
    shared_direction in_;
};

/// Makes a channel between two parts of a program on one loop, real or simulated: a message takes
/// `latency` to the other end. Messages that are in flight when an end closes still arrive.
inline std::pair<pipe, pipe> make_pipe(loop& on, duration latency = {})
{
    auto there = std::make_shared<pipe::direction>(on, latency);
    auto back = std::make_shared<pipe::direction>(on, latency);
    return {pipe(there, back), pipe(back, there)};
}

}  // namespace papilio
