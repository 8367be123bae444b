#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/detail/connection.hpp>
#include <papilio/transport/detail/send_queue.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/wire/flow.hpp>

#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

// What a connection sends without anybody who waits: a part of connection.hpp, which includes it.
namespace papilio::inline PAPILIO_MODE::detail {

/// A message that is posted, and if it has to wait for the window a copy of it.
class connection::posted final : public send_window::message {
public:
    posted(connection& c, tag t, std::size_t size)
        : windowed_message(t, size), connection_(c), tag_(t)
    {
    }
    ~posted()
    {
        if (waits()) connection_.window_.forget(*this);
    }

    void keep(bytes body) { body_.assign(body.begin(), body.end()); }

private:
    void tell(const wire::flow& f) override { connection_.send_flow(f); }
    void permitted() override
    {
        if (!connection_.ended()) {
            connection_.queue_.push_copy(tag_, body_, first);
            connection_.has_work_.open();
        }
        leave();
    }
    void ended(std::error_code) override { leave(); }

    /// Ends this object.
    void leave()
    {
        connection_.posted_.remove_if([this](const auto& p) { return p.get() == this; });
    }

    connection& connection_;
    tag tag_;
    std::vector<std::byte> body_;
};

/// A message whose sender does not wait: its bytes are there until `post` returns.
class connection::written_at_once final : public send_queue::message {
public:
    written_at_once(tag t, bytes body) noexcept : message(t, body, first) {}
    bool done() const noexcept { return done_; }

private:
    void finish(std::error_code) noexcept override { done_ = true; }

    bool done_ = false;
};

inline bool connection::may_post() const noexcept
{
    constexpr std::size_t most = 4096;
    return !ended() && !window_.error() && queue_.size() + posted_.size() < most;
}

inline bool connection::post(tag t, bytes message)
{
    if (!may_post()) return false;
    if (!window_.is_open_for(t, message.size())) return post_later(t, message);
    posted in_window(*this, t, message.size());
    window_.admits(in_window);
    written_at_once now(t, message);
    queue_.push(now);
    flush();
    if (now.done()) return !ended();
    if (queue_.withdraw(now)) queue_.push_copy(t, message, first);
    has_work_.open();
    return true;
}

inline bool connection::post_later(tag t, bytes message)
{
    if (!may_post()) return false;
    auto post = std::make_unique<posted>(*this, t, message.size());
    if (window_.admits(*post)) {
        queue_.push_copy(t, message, first);
        has_work_.open();
    } else {
        post->keep(message);
        posted_.push_back(std::move(post));
    }
    return true;
}

}  // namespace papilio::detail
