#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/hybrid.hpp>
#include <papilio/transport/tcp/channel.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/listener.hpp>
#include <papilio/wire/meeting.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// Peers of a fixed group meet at the first one, and learn where all of them listen.
namespace papilio::inline PAPILIO_MODE::detail {

/// Who meets, and where.
struct meeting {
    int rank = 0;
    int size = 0;
    std::uint64_t group = 0;
    tcp::endpoint at;  // where the first one listens meanwhile
};

inline wire::meeting_place place_of(const hybrid::address& a)
{
    return {{}, a.tcp.port, a.local.host, a.local.name};
}

inline hybrid::address address_of(wire::meeting_place p)
{
    return {{std::move(p.host), p.port}, {std::move(p.local_host), std::move(p.local_name)}};
}

/// The first peer's side.
class meeting_host {
public:
    meeting_host(asio_loop& on, const meeting& m, const hybrid::address& own)
        : m_(m), listener_(on, m.at), places_(index(m.size)), channels_(index(m.size))
    {
        places_[0] = place_of(own);
        places_[0].host = m.at.host;
    }

    /// Until all are there. Whoever is of another group, or no peer, is sent away. One that comes
    /// again, since it was started anew meanwhile, takes its own place.
    task<std::vector<wire::meeting_place>> receive_all()
    {
        int missing = m_.size - 1;
        while (missing > 0) {
            tcp::channel c = co_await listener_.accept();
            task<std::optional<wire::arrival_told>> told = arrival(c);
            const auto a = co_await std::move(told);
            if (!a) continue;
            auto& channel = channels_[a->rank];
            if (!channel) --missing;
            channel.emplace(std::move(c));
            places_[a->rank] = a->at;
        }
        const auto list = wire::encode(places_);
        std::vector<task<>> answers;
        for (auto& c : channels_)
            if (c) answers.push_back(answer(*c, list));
        co_await when_all(std::move(answers));
        co_return places_;
    }

    std::string missing() const
    {
        for (std::size_t rank = 1; rank < channels_.size(); ++rank)
            if (!channels_[rank]) return "peer " + std::to_string(rank) + " has not come";
        return "not all have been told who is there";
    }

private:
    task<std::optional<wire::arrival_told>> arrival(tcp::channel& c)
    {
        std::optional<wire::arrival_told> told;
        std::string why;
        try {
            task<std::vector<std::byte>> receiving = c.recv(wire::max_arrival_bytes);
            const auto at = co_await now();
            const auto message =
                co_await timeout(std::move(receiving), at + std::chrono::seconds(5));
            told = wire::parse_arrival(message);
            if (told->group != m_.group || index(m_.size) != told->size || told->rank == 0)
                why = "another group's";
        } catch (const std::system_error& failure) {
            why = failure.what();
        }
        if (!why.empty()) {
            told.reset();
            log(log_level::warning, "peer sent away", {"from", "why"}, c.remote(), why);
        } else if (told->at.host.empty()) {
            told->at.host = c.remote();
        }
        co_return told;
    }

    static task<> answer(tcp::channel& c, bytes list)
    {
        try {
            co_await c.send(list);
            co_await c.close();
        } catch (const std::system_error&) {
            // It finds nobody to connect to, and so do the others: their links say who is missing.
        }
    }

    const meeting& m_;
    tcp::listener listener_;
    std::vector<wire::meeting_place> places_;
    std::vector<std::optional<tcp::channel>> channels_;
};

/// The others' side.
inline task<std::vector<wire::meeting_place>> attend(asio_loop& on, const meeting& m,
                                                     const hybrid::address& own, duration limit)
{
    tcp::channel c = co_await tcp::dial(on, m.at, limit);
    const auto told = wire::encode(wire::arrival_told{static_cast<std::uint32_t>(m.rank),
                                                      static_cast<std::uint32_t>(m.size), m.group,
                                                      place_of(own)});
    co_await c.send(told);
    const auto message = co_await c.recv(wire::max_places_bytes(index(m.size)));
    auto places = wire::parse_places(message);
    if (places.size() != index(m.size))
        throw std::system_error(errc::mismatch, "the first peer has a group of " +
                                                    std::to_string(places.size()) + ", not " +
                                                    std::to_string(m.size));
    co_return places;
}

/// Where each peer listens, by rank, when this one listens at `own`. Throws `errc::timed_out` and
/// names a peer that is missing, as far as is known here.
inline task<std::vector<wire::meeting_place>> meet_others(asio_loop& on, const meeting& m,
                                                          const hybrid::address& own,
                                                          duration limit)
{
    const auto begin = co_await now();
    std::string missing = "the first peer, at " + to_string(m.at) + ", has not told who is there";
    try {
        if (m.rank == 0) {
            meeting_host host(on, m, own);
            std::optional<std::vector<wire::meeting_place>> found;
            try {
                task<std::vector<wire::meeting_place>> all = host.receive_all();
                found = co_await timeout(std::move(all), later(begin, limit));
            } catch (const std::system_error& failure) {
                if (failure.code() != errc::timed_out) throw;
                missing = host.missing();
            }
            if (found) co_return *std::move(found);
        } else {
            task<std::vector<wire::meeting_place>> all = attend(on, m, own, limit);
            co_return co_await timeout(std::move(all), later(begin, limit));
        }
    } catch (const std::system_error& failure) {
        // The first peer, too, waits no longer than its limit, and then hangs up.
        const bool late = failure.code() == errc::timed_out;
        if (!late && failure.code() != errc::disconnected) throw;
    }
    throw std::system_error(errc::timed_out, "the peers did not meet: " + missing);
}

}  // namespace papilio::detail
