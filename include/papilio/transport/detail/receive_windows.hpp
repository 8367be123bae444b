#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// Sends to peers what a mailbox replies: frames of flow control, and the answers that calls have
/// left. It queues them: nothing is received meanwhile.
struct flow_replies {
    virtual ~flow_replies() = default;
    virtual void reply(int peer, const wire::flow& f) = 0;

    /// False if it cannot.
    virtual bool answer_call(int peer, tag t, bytes answer) = 0;
};

/// How much the early messages of each peer may still cost, and all of them together. Pure.
///
/// What a peer may send is reserved for it: the cost of its messages that are kept, and what is
/// left of the window that it has been told. So all reservations together bound the memory, however
/// late anybody is. A window moves on when a quarter of it has been used and is free again, as in
/// RFC 9000, section 4.
///
/// A peer that no window was opened for is told nothing: its messages may cost a limit of their
/// own.
class receive_windows {
public:
    /// A peer may have `limit` bytes reserved, and all of them `total` together beside the
    /// `wire::first_window` of each; `peers` are known already.
    receive_windows(std::size_t limit, std::size_t total, std::size_t peers) noexcept
        : limit_(limit), total_(total), peers_(std::max<std::size_t>(peers, 1))
    {
    }

    /// A link to `peer` begins, which is told by `to` what it may send. It knows of `known` bytes.
    void open(int peer, flow_replies& to, std::size_t known);

    /// Nothing more comes from `peer` over this link.
    void close(int peer) noexcept;

    /// Throws `errc::bad_message` if a message of `size` bytes is more than `peer` may send.
    void check(int peer, std::size_t size);

    /// A message of `size` bytes from `peer` begins to arrive, and is kept until it is `consumed`.
    void keep(int peer, std::size_t size) { windows_of(peer).left -= wire::early_cost(size); }

    /// The same, of one that was asked for.
    void keep_granted(int peer, std::size_t size);

    /// A message of `size` bytes from `peer` is not kept any more.
    void consumed(int peer, std::size_t size);

    /// A message of `size` bytes from `peer` begins to arrive, and is not kept at all.
    void passes(int peer, std::size_t size);

    /// Tells `peer` of its window if that has room.
    void raise(int peer) { raise(peer, windows_of(peer)); }

    /// Tells `peer` something else.
    void reply(int peer, const wire::flow& f)
    {
        if (auto* const replies = windows_of(peer).replies) replies->reply(peer, f);
    }

    /// Sends `peer` the answer of a call that has ended. False if that cannot be.
    bool answer_call(int peer, tag t, bytes answer)
    {
        auto* const replies = windows_of(peer).replies;
        return replies && replies->answer_call(peer, t, answer);
    }

    /// What is reserved for all peers with windows.
    std::size_t reserved() const noexcept { return reserved_; }

private:
    struct window {
        flow_replies* replies = nullptr;
        bool opened = false;  // once: what is kept has been reserved
        std::size_t left = 0;
        std::size_t reserved = 0;
        std::uint64_t told = 0;  // since the link began
    };

    window& windows_of(int peer);
    std::size_t target() const noexcept;
    void reserve(window& w, std::size_t size) noexcept;
    void release(window& w, std::size_t size) noexcept;
    void raise(int peer, window& w);

    std::size_t limit_;
    std::size_t total_;
    std::size_t peers_;
    std::size_t open_ = 0;
    std::size_t reserved_ = 0;
    std::map<int, window> windows_;  // by peer
};

inline receive_windows::window& receive_windows::windows_of(int peer)
{
    const auto found = windows_.lower_bound(peer);
    if (found != windows_.end() && found->first == peer) return found->second;
    return windows_.emplace_hint(found, peer, window{.left = limit_})->second;
}

/// The room for each peer.
inline std::size_t receive_windows::target() const noexcept
{
    return std::max(wire::first_window, std::min(limit_, total_ / std::max(peers_, open_)));
}

inline void receive_windows::reserve(window& w, std::size_t size) noexcept
{
    w.reserved += size;
    reserved_ += size;
}

inline void receive_windows::release(window& w, std::size_t size) noexcept
{
    w.reserved -= size;
    reserved_ -= size;
}

inline void receive_windows::open(int peer, flow_replies& to, std::size_t known)
{
    window& w = windows_of(peer);
    w.replies = &to;
    w.opened = true;
    w.left = known;
    w.told = known;
    reserve(w, known);
    ++open_;
    raise(peer, w);
}

inline void receive_windows::close(int peer) noexcept
{
    window& w = windows_of(peer);
    if (!w.replies) return;
    w.replies = nullptr;
    release(w, w.left);
    w.left = 0;
    --open_;
}

inline void receive_windows::check(int peer, std::size_t size)
{
    const auto left = windows_of(peer).left;
    if (size <= left && wire::early_cost(size) <= left) return;
    throw std::system_error(
        errc::bad_message,
        "peer " + std::to_string(peer) + " sent a message of " + std::to_string(size) +
            " bytes that no receive waits for, which is more than it may: of "
            "its window (early_limit = " +
            std::to_string(limit_) + ") are left " + std::to_string(left) + " bytes");
}

inline void receive_windows::keep_granted(int peer, std::size_t size)
{
    window& w = windows_of(peer);
    if (w.opened)
        reserve(w, wire::early_cost(size));
    else
        w.left -= wire::early_cost(size);
}

inline void receive_windows::consumed(int peer, std::size_t size)
{
    window& w = windows_of(peer);
    if (!w.opened) {
        w.left += wire::early_cost(size);
    } else {
        release(w, wire::early_cost(size));
        raise(peer, w);
    }
}

inline void receive_windows::passes(int peer, std::size_t size)
{
    window& w = windows_of(peer);
    if (!w.replies) return;
    check(peer, size);
    w.left -= wire::early_cost(size);
    release(w, wire::early_cost(size));
    raise(peer, w);
}

inline void receive_windows::raise(int peer, window& w)
{
    if (!w.replies) return;
    const auto whole = target();
    const auto room = whole - std::min(whole, w.reserved);
    const auto shared = reserved_ - std::min(reserved_, open_ * wire::first_window);
    const auto more = std::min(room, total_ - std::min(total_, shared));
    if (more < whole / 4 || more == 0) return;
    w.left += more;
    w.told += more;
    reserve(w, more);
    w.replies->reply(peer, {.kind = wire::flow_kind::window, .subject = w.told});
}

}  // namespace papilio::detail
