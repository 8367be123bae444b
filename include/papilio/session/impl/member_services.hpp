#pragma once

// What members do for each other between rounds: they give the state of the run and past means, and
// let the host measure their links.

#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/session/member_network.hpp>
#include <papilio/swarm/update_transfer.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL void member_network::publish(shared_state latest, std::vector<std::byte> mean)
{
    if (!mean.empty()) means_.add(latest->round, std::move(mean));
    latest_ = std::move(latest);
}

/// Serves each member from its first link on, and anew when that has come back.
PAPILIO_DECL task<> member_network::start_services()
{
    for (;;) {
        net_.link_changes().close();
        give_up_unconnected();
        for (int peer = 0; peer < net_.size(); ++peer) {
            if (peer == net_.rank() || !net_.connected(peer)) continue;
            const auto link = net_.link_number(peer);
            auto& served = services_[peer];
            if (served.work && served.link == link) continue;
            served.link = link;
            served.work.emplace(serve(peer));
            served.work->start(loop_);
        }
        co_await net_.link_changes().opened();
    }
}

PAPILIO_DECL task<> member_network::serve(int peer)
{
    std::vector<task<>> all;
    all.push_back(serve_state(net_, peer, latest_));
    all.push_back(serve_updates(net_, peer, means_));
    if (peer == 0 && options_.probed) {
        all.push_back(serve_echo(net_, peer));
        all.push_back(serve_bandwidth(net_, peer));
    }
    try {
        co_await when_all(std::move(all));
    } catch (const std::system_error&) {
        // Its request was malformed or its link broke: it is not served before there is another.
    }
}

/// Whoever does not answer by then may have gone since it was named; the next donor is asked.
inline constexpr auto donor_answers = std::chrono::seconds(4);

PAPILIO_DECL task<state_snapshot> member_network::fetch(wire::member_endpoint donor,
                                                        std::uint32_t round,
                                                        std::vector<std::size_t> sizes)
{
    const int id = donor.id;
    task<> reached = reach(std::move(donor), donor_answers);
    co_await std::move(reached);
    state_options o;
    o.min_round = round;
    task<state_snapshot> fetched = fetch_state(net_, id, sizes, o);
    co_return co_await std::move(fetched);
}

PAPILIO_DECL task<std::vector<std::vector<std::byte>>> member_network::fetch_means(
    wire::member_endpoint donor, std::uint32_t round)
{
    const int id = donor.id;
    task<> reached = reach(std::move(donor), donor_answers);
    co_await std::move(reached);
    update_options o;
    o.max_bytes = options_.kept_means;
    task<std::vector<std::vector<std::byte>>> fetched = fetch_updates(net_, id, round, o);
    co_return co_await std::move(fetched);
}

}  // namespace papilio
