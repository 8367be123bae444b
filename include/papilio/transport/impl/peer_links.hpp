#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/detail/peer_links.hpp>
#include <papilio/transport/detail/process_number.hpp>

#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL const std::shared_ptr<peer_link>& peer_links::to(int peer)
{
    while (size() <= peer) add_peer();
    return links_[static_cast<std::size_t>(peer)];
}

PAPILIO_DECL void peer_links::add_peer()
{
    const int peer = size();
    links_.push_back(make(peer, link_identity(process_number())));
    pending_.emplace_back();
    numbers_.push_back(0);
    keepers_.push_back(keep_up(peer));
    keepers_.back().start(loop_);
}

PAPILIO_DECL std::shared_ptr<peer_link> peer_links::make(int peer, link_identity id)
{
    auto made = std::make_shared<peer_link>(loop_, inbox_, rank_, peer, options_, id);
    if (closed_ && peer != rank_) made->fail(errc::disconnected);
    return made;
}

/// The link before has failed: whoever waited for it has been told.
PAPILIO_DECL void peer_links::replace(int peer, std::shared_ptr<peer_link> next)
{
    const auto i = static_cast<std::size_t>(peer);
    const auto before = std::exchange(links_[i], std::move(next));
    ++numbers_[i];
    inbox_.reopen(peer);
    before->mark_replaced();
    changes_.open();
}

PAPILIO_DECL void peer_links::stop_dialling(int peer)
{
    const auto unwanted = std::exchange(pending_[static_cast<std::size_t>(peer)], nullptr);
    if (unwanted) unwanted->abandon();
}

/// The same process is there again: what was kept for it goes over the next link.
PAPILIO_DECL void peer_links::follow(int peer, std::shared_ptr<peer_link> next)
{
    const auto i = static_cast<std::size_t>(peer);
    next->take_posts(*links_[i]);
    if (pending_[i] == next) pending_[i].reset();
    stop_dialling(peer);
    replace(peer, std::move(next));
}

/// Dials `next`, which takes the place of the link to `peer` with its first stream.
PAPILIO_DECL task<> peer_links::dial_again(int peer, std::shared_ptr<peer_link> next)
{
    std::function<void()> begun = [this, peer, next] { follow(peer, next); };
    task<> dialling = dialer_.dial(next, std::move(begun));
    co_await std::move(dialling);
}

/// While its link to `peer` is down, the peer that dials tries to make another one.
PAPILIO_DECL task<> peer_links::keep_up(int peer)
{
    const auto i = static_cast<std::size_t>(peer);
    while (!closed_) {
        const auto link = links_[i];
        co_await link->settled();
        changes_.open();
        co_await link->ended();
        changes_.open();
        const bool current = !closed_ && links_[i] == link;
        if (current && !link->is_last() && dialer_.is_to_dial(peer)) {
            pending_[i] = make(peer, link->identity());
            task<> dialling = dial_again(peer, pending_[i]);
            co_await std::move(dialling);
        } else if (current) {
            co_await link->replaced();
        }
    }
}

PAPILIO_DECL task<> peer_links::replacement_of(std::shared_ptr<peer_link> l)
{
    co_await l->replaced();
}

/// Does its part in dialling: what dials by itself has become slow when the peer was gone for long.
PAPILIO_DECL task<> peer_links::reach(int peer)
{
    const auto i = static_cast<std::size_t>(peer);
    for (;;) {
        const auto link = links_[i];
        const auto next = pending_[i];
        if (link->connected()) co_return;
        if (link->error() && (closed_ || link->is_last()))
            throw std::system_error(link->error(), "peer " + std::to_string(peer));
        task<> step = !link->error() ? dialer_.connect(link)
                      : next         ? dial_again(peer, next)
                                     : replacement_of(link);
        co_await std::move(step);
    }
}

PAPILIO_DECL bool peer_links::accepts(const wire::hello& h, std::uint32_t streams)
{
    auto& l = *to(static_cast<int>(h.from));
    if (closed_ || !l.identity().is_between(h) || l.is_last()) return false;
    if (is_next(h)) return h.connection < streams;
    return l.expects(h.connection, streams) &&
           (l.streams() == 0 || h.generation == l.identity().generation());
}

/// Whether the peer has given up the link that is known here and makes another one.
PAPILIO_DECL bool peer_links::is_next(const wire::hello& h)
{
    auto& l = *to(static_cast<int>(h.from));
    return l.streams() > 0 && l.identity().is_followed_by(h, !!l.error());
}

PAPILIO_DECL void peer_links::add(const wire::hello& h, std::unique_ptr<byte_stream> s)
{
    const int peer = static_cast<int>(h.from);
    if (is_next(h)) {
        const auto before = to(peer);
        before->fail(errc::disconnected);  // unless this side has noticed as well
        follow(peer, make(peer, before->identity()));
    }
    to(peer)->add(h, std::move(s), h.process, h.host);
}

/// The process of before knows our number; the other one is told another.
PAPILIO_DECL void peer_links::admit(int peer)
{
    const auto before = to(peer);
    if (closed_ || (!before->error() && before->streams() == 0)) return;
    log(log_level::info, "peer admitted", {"rank", "peer"}, rank_, peer);
    before->fail(errc::disconnected);
    stop_dialling(peer);
    replace(peer, make(peer, link_identity(process_number())));
}

/// Where a link has failed already, whoever waits for one in its place is told by the next one.
PAPILIO_DECL void peer_links::give_up(int peer)
{
    const auto link = to(peer);
    const bool had_failed = !!link->error() && !closed_;
    stop_dialling(peer);
    link->give_up();
    if (!had_failed) return;
    replace(peer, make(peer, link->identity()));
    to(peer)->give_up();
}

PAPILIO_DECL void peer_links::close()
{
    closed_ = true;
    for (int peer = 0; peer < size(); ++peer) {
        stop_dialling(peer);
        auto& link = *to(peer);
        if (peer != rank_ && !link.is_settled()) link.fail(errc::disconnected);
        link.mark_replaced();  // nothing will, and whoever waits for that need not any more
    }
}

}  // namespace papilio::detail
