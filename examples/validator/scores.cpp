#include "scores.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace papilio::example {

namespace {

void add_report(verdict& v, const observation& o)
{
    const auto report = o.outcome.reports.find(v.miner);
    const bool left_out = o.outcome.left().contains(v.miner);
    if (report == o.outcome.reports.end()) {
        v.status = left_out ? "left out" : "silent";
        return;
    }
    const wire::round_report& reported = report->second;
    v.sent = reported.bytes_sent;
    v.received = reported.bytes_received;
    v.seconds = reported.seconds;
    v.digest = reported.digest;
    v.took_part = o.outcome.ok && reported.ok && reported.digest == o.outcome.digest;
    if (!reported.ok)
        v.status = left_out ? "left out" : "failed";
    else if (o.outcome.ok && !v.took_part)
        v.status = "differs";
    else
        v.status = o.outcome.ok ? "averaged" : "failed";  // a failure of others counts as its own
}

void add_link(verdict& v, const run_snapshot& snapshot, const thresholds& required)
{
    const auto known = snapshot.members.find(v.miner);
    if (known != snapshot.members.end()) v.name = known->second.name;
    const auto link = snapshot.links.find(v.miner);
    if (link != snapshot.links.end()) v.link = link->second;
    if (link != snapshot.links.end() || !required.any()) v.meets_demands = meets(v.link, required);
}

}  // namespace

std::vector<verdict> judge(const observation& o, const thresholds& required, round_codec codec,
                           std::size_t parameters)
{
    std::map<std::uint16_t, verdict> all;
    const auto roles = roles_of(o.outcome.group);
    for (std::size_t rank = 0; rank < roles.size(); ++rank) {
        const auto& m = o.outcome.group.members[rank];
        if (!votes(roles[rank])) continue;
        verdict& v = all[m.id];
        v.miner = m.id;
        v.at = m.at;
        v.butterfly = butterfly_bytes(codec, parameters, roles, rank, o.shares);
        v.part = part_bytes(codec, parameters, roles, rank, o.shares);
        if (rank < o.own_report.peers.size()) v.to_observer = o.own_report.peers[rank].received;
        add_report(v, o);
    }
    for (const auto& [id, m] : o.snapshot.members) {
        if (!m.present || all.contains(id)) continue;
        verdict& v = all[id];
        v.miner = id;
        v.at = m.at;
        v.status = "absent";
    }
    std::vector<verdict> verdicts;
    for (auto& [id, v] : all) {
        add_link(v, o.snapshot, required);
        verdicts.push_back(std::move(v));
    }
    return verdicts;
}

nlohmann::ordered_json to_json(const verdict& v, const observation& o,
                               std::optional<double> held_out_loss)
{
    const auto or_null = [](auto value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
    };
    const auto of_link = [&](double link_figures::*figure) {
        return v.link ? nlohmann::ordered_json((*v.link).*figure) : nlohmann::ordered_json(nullptr);
    };
    return {{"round", o.outcome.group.round + 1},
            {"attempt", o.outcome.group.attempt},
            {"miner", v.miner},
            {"name", v.name},
            {"endpoint", tcp::to_string({v.at.host, v.at.port})},
            {"status", v.status},
            {"bytes_sent", v.sent},
            {"bytes_received", v.received},
            {"butterfly_bytes", v.butterfly},
            {"bytes_to_validator", v.to_observer},
            {"all_reduce_seconds", v.seconds},
            {"up_mbit", of_link(&link_figures::up_mbit)},
            {"down_mbit", of_link(&link_figures::down_mbit)},
            {"rtt_ms", of_link(&link_figures::rtt_ms)},
            {"took_part", v.took_part},
            {"meets_demands", or_null(v.meets_demands)},
            {"score", v.score()},
            {"digest", v.digest},
            {"digest_matches", v.took_part},
            {"held_out_loss", or_null(held_out_loss)}};
}

}  // namespace papilio::example
