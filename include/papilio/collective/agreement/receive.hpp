#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/wire/tag.hpp>

#include <coroutine>
#include <cstddef>
#include <utility>

// How one message of a call is received: a part of peer_io.hpp, which includes it.
namespace papilio::inline PAPILIO_MODE::detail {

/// A receive that counts what has come. No coroutine, since there is one for every message.
class [[nodiscard]] peer_io::receive {
public:
    receive(peer_io& io, int peer, tag t, task<std::size_t> work) noexcept
        : io_(io), peer_(peer), tag_(t), work_(std::move(work))
    {
    }
    receive(const receive&) = delete;
    receive& operator=(const receive&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        work_.start(*on_, &wake_);
    }

    std::size_t await_resume()
    {
        const auto size = size_of(work_);
        io_.received(peer_, tag_, size, on_->now());
        return size;
    }

private:
    peer_io& io_;
    int peer_;
    tag tag_;
    task<std::size_t> work_;
    loop* on_ = nullptr;
    resume wake_;
};

inline peer_io::receive peer_io::recv(int peer, tag t, mutable_bytes into)
{
    return {*this, peer, t, net_.recv(peer, t, into)};
}

inline peer_io::receive peer_io::recv(int peer, tag t, mutable_bytes into, lent_ptr& lent)
{
    return {*this, peer, t, net_.recv(peer, t, into, lent)};
}

}  // namespace papilio::detail
