#pragma once

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/session/impl/meeting.hpp>
#include <papilio/transport/hybrid.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Of the epochs of a process, those up to `max_rejoin` are numbers that callers agree on, the next
/// are given to groups as they are made, and the last is where members of a new group agree on its.
inline constexpr std::uint32_t max_rejoin = 1000;
inline constexpr std::uint32_t agreeing_epoch = max_epoch;

/// The links of a process, and the loop that they live on: all communicators that are made from one
/// share them. Made and destroyed by any thread; all else is for tasks on the loop.
class shared_links {
public:
    shared_links(int rank, std::vector<tcp::endpoint> endpoints, const communicator_options& o)
        : options_(o)
    {
        std::vector<hybrid::address> at;
        for (auto& e : endpoints) at.push_back(address_at(std::move(e)));
        loop_.call([&] { net_.emplace(loop_.loop(), rank, std::move(at), transport_options(o)); });
    }

    /// The others' endpoints follow when the peers have met.
    shared_links(meeting m, const communicator_options& o) : options_(o), meeting_(std::move(m))
    {
        options_.links.group = hash(o.links.group, meeting_->group);
        std::vector<hybrid::address> at(index(meeting_->size));
        const auto rank = index(std::clamp(meeting_->rank, 0, meeting_->size - 1));
        at[rank].tcp = {"::", 0};
        loop_.call([&] {
            net_.emplace(loop_.loop(), meeting_->rank, std::move(at), transport_options(options_));
        });
    }
    shared_links(const shared_links&) = delete;
    shared_links& operator=(const shared_links&) = delete;

    /// What others still have to be sent has until `linger` for it.
    ~shared_links()
    {
        if (!net_) return;
        try {
            loop_.wait(net_->close(linger));
        } catch (const std::exception&) {
            // Without memory the last messages are lost.
        }
        loop_.call([&] { net_.reset(); });
    }

    background_loop& loop() noexcept { return loop_; }
    mesh& net() noexcept { return *net_; }
    const communicator_options& options() const noexcept { return options_; }

    /// Until all links are there. Peers that have to meet do so first.
    task<> connect(duration limit)
    {
        const auto begin = co_await now();
        if (meeting_) {
            const auto own = net_->local();
            task<std::vector<wire::meeting_place>> met =
                meet_others(loop_.loop(), *meeting_, own, limit);
            auto places = co_await std::move(met);
            for (int peer = 0; peer < meeting_->size; ++peer)
                if (peer != meeting_->rank)
                    net_->set_address(peer, reachable(std::move(places[index(peer)])));
        }
        const auto met = co_await now();
        co_await net_->connect(std::max(limit - (met - begin), duration{}));
    }

    /// Groups are made one after another, since each takes epochs that no other has.
    task<> begin_making()
    {
        while (making_) {
            co_await made_.opened();
        }
        making_ = true;
        made_.close();
    }
    void end_making() noexcept
    {
        making_ = false;
        made_.open();
    }

    /// The first epoch that no group of this process has had.
    std::uint32_t next_epoch() const noexcept { return next_epoch_; }

    /// Epochs from `first` on are taken, `count` of them. Throws where there are not so many.
    void take_epochs(std::uint32_t first, std::uint32_t count)
    {
        if (first + count > agreeing_epoch)
            throw std::system_error(errc::bad_argument,
                                    "there are no numbers left for another group: one set of links "
                                    "has up to 3,094 in its life; make a new communicator");
        next_epoch_ = std::max(next_epoch_, first + count);
    }

    /// The whole group begins anew at `number`.
    void take_number(std::uint32_t number)
    {
        if (number <= last_number_ || number > max_rejoin)
            throw bad_value("the number of a group that is rejoined",
                            "above that of the time before, " + std::to_string(last_number_) +
                                ", and at most 1,000",
                            number);
        last_number_ = number;
    }

    duration linger = std::chrono::milliseconds(500);

private:
    static hybrid::options transport_options(const communicator_options& o)
    {
        hybrid::options h;
        h.tcp = o.links;
        return h;
    }

    /// Peers whose endpoints name the same host share memory with each other, by names that follow
    /// from the endpoints. Without a name, they do not.
    hybrid::address address_at(tcp::endpoint e) const
    {
        hybrid::address a;
        if (options_.shared_memory && !e.host.empty() && e.port != 0)
            a.local = {e.host, "papilio-" + std::to_string(options_.links.group) + '-' +
                                   std::to_string(e.port)};
        a.tcp = std::move(e);
        return a;
    }

    hybrid::address reachable(wire::meeting_place p) const
    {
        if (!options_.shared_memory) p.local_name.clear();
        return address_of(std::move(p));
    }

    communicator_options options_;
    std::optional<meeting> meeting_;
    std::optional<hybrid::transport> net_;  // the loop's
    bool making_ = false;
    gate made_;
    std::uint32_t next_epoch_ = max_rejoin + 1;
    std::uint32_t last_number_ = 0;
    background_loop loop_;  // is destroyed first
};

}  // namespace papilio::detail
