#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/detail/flow.hpp>
#include <papilio/transport/detail/receive_windows.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Puts messages on their way, for a `message_flow`.
struct message_carrier {
    virtual ~message_carrier() = default;

    /// What has the same `order` arrives in order, and `behind_all` after all that was launched.
    static constexpr tag behind_all = wire::shutdown;
    virtual void launch(int peer, tag what, bytes content, tag order) = 0;
};

/// The flow of messages of a peer whose transport has no connections: all links are there from the
/// start, and carry whole messages.
class message_flow final : flow_replies {
public:
    /// Every peer keeps the same `window` for each of the others.
    message_flow(mailbox& inbox, message_carrier& by, int rank, int peers, std::size_t window);
    message_flow(const message_flow&) = delete;
    message_flow& operator=(const message_flow&) = delete;
    ~message_flow() override;

    class sending;

    /// Awaiting it lasts until the message is on its way. `content` must stay valid until then.
    /// Throws why the link has ended, if it has.
    sending send(int peer, tag t, bytes content);

    /// Sends it at once, or a copy in the background, unless the link has ended.
    void post(int peer, tag t, bytes content);

    /// Something from `peer` has come. A peer that breaks the protocol loses its link.
    void arrived(int peer, tag t, bytes content)
    {
        try {
            if (t == wire::flow_tag)
                take_flow(wire::parse_flow(content), peer, window(peer), inbox_);
            else
                inbox_.deliver(peer, t, content);
        } catch (const std::system_error& broken) {
            log(log_level::warning, "link failed", {"rank", "peer", "why"}, rank_, peer,
                broken.code());
            close(peer, broken.code());
        }
    }

    /// The link to `peer` ends, because of `why`.
    void close(int peer, std::error_code why)
    {
        inbox_.close(peer, why);
        window(peer).fail(why);
    }
    bool is_closed(int peer) { return static_cast<bool>(window(peer).error()); }

    /// Another link takes the place of one that has ended.
    void reopen(int peer, std::size_t limit)
    {
        inbox_.reopen(peer);
        windows_.at(static_cast<std::size_t>(peer)).emplace(limit);
        inbox_.open(peer, *this, limit);
    }

    void discard_call(tag t)
    {
        inbox_.discard_call(t);
        for (int peer = 0; peer < static_cast<int>(windows_.size()); ++peer)
            if (peer != rank_)
                launch(peer,
                       {.kind = wire::flow_kind::over, .subject = static_cast<std::uint64_t>(t)},
                       message_carrier::behind_all);
    }

private:
    class outgoing;
    class posted;
    struct own_bytes;

    send_window& window(int peer) { return *windows_.at(static_cast<std::size_t>(peer)); }
    void reply(int peer, const wire::flow& f) override { launch(peer, f, wire::flow_tag); }
    bool answer_call(int peer, tag t, bytes answer) override
    {
        if (window(peer).error()) return false;
        post(peer, t, answer);
        return true;
    }
    void launch(int peer, const wire::flow& f, tag order)
    {
        carrier_.launch(peer, wire::flow_tag, wire::encode(f), order);
    }

    mailbox& inbox_;
    message_carrier& carrier_;
    int rank_;
    std::deque<std::optional<send_window>> windows_;  // by peer
    std::vector<std::unique_ptr<posted>> posted_;     // that wait
};

/// A message whose bytes are somewhere else.
class message_flow::outgoing : public send_window::message {
public:
    outgoing(message_flow& by, int peer, tag t, bytes content) noexcept
        : windowed_message(t, content.size()), flow_(by), peer_(peer), tag_(t), content_(content)
    {
    }

    /// Whether it is on its way.
    bool start()
    {
        if (!flow_.window(peer_).admits(*this)) return false;
        launch();
        return true;
    }

protected:
    ~outgoing() = default;

    /// Whoever derives from this calls it in the destructor.
    void stop_waiting()
    {
        if (waits()) flow_.window(peer_).forget(*this);
    }
    void launch() { flow_.carrier_.launch(peer_, tag_, content_, tag_); }
    message_flow& flow() noexcept { return flow_; }

private:
    void tell(const wire::flow& f) override { flow_.launch(peer_, f, tag_); }

    message_flow& flow_;
    int peer_;
    tag tag_;
    bytes content_;
};

/// One message that a task sends.
class [[nodiscard]] message_flow::sending final : outgoing {
public:
    using outgoing::outgoing;
    ~sending() { stop_waiting(); }

    bool await_ready() { return start(); }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self) noexcept
    {
        wake_.target = self;
        on_ = self.promise().on;
    }

    void await_resume() const
    {
        if (error_) throw std::system_error(error_);
    }

private:
    void permitted() override
    {
        launch();
        on_->post(wake_);
    }
    void ended(std::error_code why) override
    {
        error_ = why;
        on_->post(wake_);
    }

    std::error_code error_;
    loop* on_ = nullptr;
    resume wake_;
};

struct message_flow::own_bytes {
    std::vector<std::byte> held;
};

/// A copy of a message, which waits.
class message_flow::posted final : own_bytes, public outgoing {
public:
    posted(message_flow& by, int peer, tag t, bytes content)
        : own_bytes{{content.begin(), content.end()}}, outgoing(by, peer, t, held)
    {
    }
    ~posted() { stop_waiting(); }

private:
    void permitted() override
    {
        launch();
        leave();
    }
    void ended(std::error_code) override { leave(); }

    /// Ends this object.
    void leave()
    {
        std::erase_if(flow().posted_, [this](const auto& p) { return p.get() == this; });
    }
};

inline message_flow::message_flow(mailbox& inbox, message_carrier& by, int rank, int peers,
                                  std::size_t window)
    : inbox_(inbox), carrier_(by), rank_(rank)
{
    for (int peer = 0; peer < peers; ++peer) {
        windows_.emplace_back(std::in_place, window);
        inbox_.open(peer, *this, window);
    }
}

/// What waits to be posted is lost.
inline message_flow::~message_flow()
{
    for (auto& w : windows_) w->fail(errc::disconnected);
}

inline message_flow::sending message_flow::send(int peer, tag t, bytes content)
{
    return {*this, peer, t, content};
}

inline void message_flow::post(int peer, tag t, bytes content)
{
    if (window(peer).error()) return;
    if (window(peer).is_open_for(t, content.size())) {
        sending now(*this, peer, t, content);
        now.await_ready();
        return;
    }
    auto copy = std::make_unique<posted>(*this, peer, t, content);
    if (!copy->start()) posted_.push_back(std::move(copy));
}

}  // namespace papilio::detail
