#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/wire/tag.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

// How one message of each of several peers is received.
namespace papilio::inline PAPILIO_MODE::detail {

/// Takes the messages of a `receive_each`.
class message_taker {
public:
    /// Where the message of `peer` is to be written; valid until it has been taken.
    virtual mutable_bytes memory_for(int peer) = 0;

    /// The message of `peer` is there. May throw: then the fault is the peer's.
    virtual void take(int peer, bytes message) = 0;

protected:
    ~message_taker() = default;
};

/// Receives the message of a kind from each of `peers`, which each of them owes from now on, and
/// passes it on when it comes. Awaiting it lasts until all have come, or throws the first failure,
/// as a `call_error` that says whose it is. No coroutine stands between a message and who takes it:
/// in a small call these would be most of the work.
class [[nodiscard]] peer_io::receive_each {
public:
    /// `peers` and `to` must outlive it.
    receive_each(peer_io& io, message_kind kind, phase where, std::span<const int> peers,
                 message_taker& to)
        : io_(io), tag_(io.tag_for(kind, 0)), where_(where), peers_(peers), to_(to)
    {
        for (const int peer : peers_) io_.expect(peer, kind);
    }
    receive_each(const receive_each&) = delete;
    receive_each& operator=(const receive_each&) = delete;

    bool await_ready() const noexcept { return peers_.empty(); }

    template <class P>
    void await_suspend(std::coroutine_handle<P> parent)
    {
        wake_.target = parent;
        on_ = parent.promise().on;
        left_ = peers_.size();
        arrivals_ = std::make_unique<arrival[]>(left_);
        for (std::size_t i = 0; i < peers_.size(); ++i) arrivals_[i].begin(*this, peers_[i]);
    }

    /// Drops what is still awaited, before anybody frees what it is written to.
    void await_resume()
    {
        arrivals_.reset();
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    struct arrival final : event {
        void begin(receive_each& all, int from)
        {
            group = &all;
            peer = from;
            into = all.to_.memory_for(from);
            task<std::size_t> received = all.io_.net_.recv(from, all.tag_, into);
            work.emplace(std::move(received));
            work->start(*all.on_, this);
        }

        void fire() override
        {
            if (group->left_ > 0 && !group->failure_) group->come(*this);
        }

        receive_each* group = nullptr;
        int peer = -1;
        mutable_bytes into;
        std::optional<task<std::size_t>> work;
    };

    void come(arrival& a)
    {
        try {
            const auto size = size_of(*a.work);
            io_.received(a.peer, tag_, size, on_->now());
            to_.take(a.peer, a.into.first(size));
        } catch (const call_error&) {
            failure_ = std::current_exception();
        } catch (const std::system_error& failure) {
            failure_ = std::make_exception_ptr(io_.blamed(a.peer, where_, failure));
        } catch (...) {
            failure_ = std::current_exception();
        }
        if (--left_ == 0 || failure_) on_->post(wake_);
    }

    peer_io& io_;
    tag tag_;
    phase where_;
    std::span<const int> peers_;
    message_taker& to_;
    std::unique_ptr<arrival[]> arrivals_;
    std::size_t left_ = 0;
    std::exception_ptr failure_;
    loop* on_ = nullptr;
    resume wake_;
};

}  // namespace papilio::detail
