#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/mesh_options.hpp>
#include <papilio/wire/hello.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Dials the peers of a mesh over its medium. Of two peers, the one with the higher rank dials,
/// unless the other cannot be dialled. Borrows the medium and the options.
class dialer {
public:
    dialer(loop& on, medium& over, int rank, std::uint64_t process, const mesh_options& o)
        : loop_(on), medium_(over), rank_(rank), process_(process), options_(o)
    {
    }

    /// Finishes when `l` is established, by this peer or by the other; throws its error once it has
    /// failed.
    task<> connect(std::shared_ptr<peer_link> l)
    {
        const bool ours = dials(l->peer()) && !l->is_settled();
        if (ours) {
            task<> dialling = dial(l, {});
            co_await std::move(dialling);
        } else {
            co_await l->settled();
        }
        if (l->error()) throw std::system_error(l->error(), "peer " + std::to_string(l->peer()));
    }

    /// Whether this peer dials `peer`, and not the other way round.
    bool dials(int peer) const
    {
        return medium_.reaches(peer) && (!medium_.reached_by(peer) || rank_ > peer);
    }

    /// Tries until the streams of `l` exist, perhaps through another's attempts, or it has failed.
    /// The first stream tells how many there are; `begun` is called before it is added.
    task<> dial(std::shared_ptr<peer_link> l, std::function<void()> begun)
    {
        co_await dial_stream(*l, 0, begun);
        std::vector<task<>> others;
        for (std::size_t i = 1; i < l->streams(); ++i)
            others.push_back(dial_stream(*l, static_cast<std::uint32_t>(i), {}));
        co_await when_all(std::move(others));
    }

    /// For the text of an error: where `peer` was dialled, and why the last attempt failed.
    std::string last_failure(int peer)
    {
        const auto& failure = failures_[peer];
        return (medium_.reaches(peer) ? " at " + medium_.text(peer) : "") +
               (failure.empty() ? "" : ": " + failure);
    }

private:
    wire::hello hello_for(peer_link& l, std::uint32_t index) const
    {
        wire::hello h;
        h.group = options_.group;
        h.from = static_cast<std::uint32_t>(rank_);
        h.to = static_cast<std::uint32_t>(l.peer());
        h.connection = index;
        h.generation = l.streams() == 0 ? l.next_attempt() : l.generation();
        h.process = process_;
        h.to_process = l.process();
        return h;
    }

    /// The other side may not have started yet, or not have noticed that a link has ended.
    task<> dial_stream(peer_link& l, std::uint32_t index, std::function<void()> begun)
    {
        duration pause = std::chrono::milliseconds(10);
        while (!l.error() && !l.has_stream(index)) {
            dialled made;
            const auto h = hello_for(l, index);
            try {
                task<dialled> attempt = medium_.dial(l.peer(), h);
                made =
                    co_await timeout(std::move(attempt), loop_.now() + options_.handshake_timeout);
                if (l.process() != 0 && made.process != l.process())
                    throw std::system_error(errc::refused, "another process answers than before");
            } catch (const std::system_error& failure) {
                made.stream.reset();
                failures_[l.peer()] = failure.what();
                const auto at = [&] { return medium_.text(l.peer()); };
                log(log_level::debug, "attempt failed", {"rank", "peer", "at", "why"}, rank_,
                    l.peer(), at, failure.code());
            }
            if (made.stream) {
                if (begun) begun();
                l.add(h, std::move(made.stream), made.process);
                co_return;
            }
            co_await sleep_for(pause);
            pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
        }
    }

    loop& loop_;
    medium& medium_;
    int rank_;
    std::uint64_t process_;  // this one's number
    const mesh_options& options_;
    std::map<int, std::string> failures_;  // of the last attempt, by peer
};

}  // namespace papilio::detail
