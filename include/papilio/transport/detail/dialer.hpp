#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/resources.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/host_number.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/mesh_options.hpp>
#include <papilio/wire/hello.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Makes the links that this peer is to dial: of each pair the peer with the higher rank dials,
/// unless the other cannot be dialled. Borrows the medium and the options.
class dialer {
public:
    dialer(loop& on, medium& over, int rank, const mesh_options& o)
        : loop_(on), medium_(over), rank_(rank), options_(o)
    {
    }

    /// Finishes when `l` is established, by this peer or by the other, or has failed.
    task<> connect(std::shared_ptr<peer_link> l)
    {
        const bool ours = is_to_dial(l->peer()) && medium_.reaches(l->peer()) && !l->is_settled();
        if (ours) {
            task<> dialling = dial(l, {});
            co_await std::move(dialling);
        } else {
            co_await l->settled();
        }
    }

    /// Whether it is for this peer to dial `peer`, as soon as it knows where.
    bool is_to_dial(int peer) const { return !medium_.reached_by(peer) || rank_ > peer; }

    /// Tries until the streams of `l` exist, perhaps through another's attempts, or it has failed.
    /// The first stream tells how many there are; `begun` is called before it is added.
    task<> dial(std::shared_ptr<peer_link> l, std::function<void()> begun)
    {
        failures_.erase(l->peer());  // they were of another time
        co_await dial_stream(*l, 0, begun);
        std::vector<task<>> others;
        for (std::size_t i = 1; i < l->streams(); ++i)
            others.push_back(dial_stream(*l, static_cast<std::uint32_t>(i), {}));
        co_await when_all(std::move(others));
    }

    /// Why there is no link to `peer` in time: where it was dialled, and how the last attempt
    /// failed.
    std::system_error no_link(int peer)
    {
        const auto& last = failures_[peer];
        return {why_late(last.code),
                "no connection with peer " + std::to_string(peer) +
                    (medium_.reaches(peer) ? " at " + medium_.text(peer) : "") +
                    (last.text.empty() ? "" : ": " + last.text)};
    }

private:
    using stream_name = std::pair<const peer_link*, std::uint32_t>;

    struct failed_attempt {
        std::error_code code;
        std::string text;
    };

    /// One attempt at a stream at a time: to the other side, a later one means that the earlier
    /// ones were given up.
    class turn {
    public:
        turn(std::set<stream_name>& taken, stream_name which)
            : taken_(taken), which_(which), ours_(taken.insert(which).second)
        {
        }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn()
        {
            if (ours_) taken_.erase(which_);
        }
        bool ours() const noexcept { return ours_; }

    private:
        std::set<stream_name>& taken_;
        stream_name which_;
        bool ours_;
    };

    wire::hello hello_for(peer_link& l, std::uint32_t index) const
    {
        wire::hello h;
        h.group = options_.group;
        h.from = static_cast<std::uint32_t>(rank_);
        h.to = static_cast<std::uint32_t>(l.peer());
        h.connection = index;
        auto& id = l.identity();
        h.generation = l.streams() == 0 ? id.next_attempt() : id.generation();
        h.process = id.own_process();
        h.to_process = id.process();
        h.host = host_in_group(medium_.host(), options_.group);
        return h;
    }

    /// The other side may not have started yet, may not have noticed that a link has ended, or may
    /// be gone for good: attempts become rare with time.
    task<> dial_stream(peer_link& l, std::uint32_t index, std::function<void()> begun)
    {
        const auto begin = loop_.now();
        duration pause = std::chrono::milliseconds(10);
        while (!l.error() && !l.has_stream(index)) {
            if (medium_.reaches(l.peer())) {
                task<> attempt = dial_once(l, index, begun);
                co_await std::move(attempt);
            }
            if (l.error() || l.has_stream(index)) co_return;
            co_await when_any(sleep_for(pause), end_of(l));
            const auto longest = std::clamp<duration>(
                (loop_.now() - begin) / 16, std::chrono::seconds(1), std::chrono::seconds(30));
            pause = std::min(pause * 2, longest);
        }
    }

    /// One attempt, unless another is under way.
    task<> dial_once(peer_link& l, std::uint32_t index, std::function<void()> begun)
    {
        const turn own(under_way_, {&l, index});
        if (!own.ours()) co_return;
        const auto h = hello_for(l, index);
        dialled made;
        try {
            task<dialled> attempt = medium_.dial(l.peer(), h);
            made = co_await timeout(std::move(attempt),
                                    later(loop_.now(), options_.handshake_timeout));
            if (!l.identity().is_for(made.process))
                throw std::system_error(errc::refused, "another process answers than is expected");
        } catch (const std::exception& failure) {  // a medium of the user's may throw anything
            made.stream.reset();
            const auto* known = dynamic_cast<const std::system_error*>(&failure);
            note(l.peer(), {known ? known->code() : std::error_code(), failure.what()});
        }
        if (!made.stream || l.error() || l.has_stream(index)) co_return;
        if (begun) begun();
        l.add(h, std::move(made.stream), made.process, made.host);
    }

    void note(int peer, failed_attempt how)
    {
        const auto at = [&] { return medium_.text(peer); };
        log(log_level::debug, "attempt failed", {"rank", "peer", "at", "why"}, rank_, peer, at,
            how.text.c_str());
        failures_[peer] = std::move(how);
    }

    static task<> end_of(peer_link& l) { co_await l.ended(); }

    loop& loop_;
    medium& medium_;
    int rank_;
    const mesh_options& options_;
    std::map<int, failed_attempt> failures_;  // the last one, by peer
    std::set<stream_name> under_way_;
};

}  // namespace papilio::detail
