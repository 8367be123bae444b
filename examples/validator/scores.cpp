#include "scores.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace papilio::example {

namespace {

void take_report(verdict& v, const observation& o)
{
    const auto report = o.what.reports.find(v.miner);
    if (report == o.what.reports.end()) {
        v.status = "silent";
        return;
    }
    const wire::round_report& said = report->second;
    v.sent = said.bytes_sent;
    v.received = said.bytes_received;
    v.seconds = said.seconds;
    v.digest = said.digest;
    v.took_part = o.what.ok && said.ok && said.digest == o.what.digest;
    if (!said.ok)
        v.status = "failed";
    else if (o.what.ok && !v.took_part)
        v.status = "differs";
    else
        v.status = o.what.ok ? "averaged" : "failed";  // the others' failure is all the same its
}

void take_surroundings(verdict& v, const overview& around, const thresholds& demands)
{
    const auto known = around.members.find(v.miner);
    if (known != around.members.end()) v.name = known->second.name;
    const auto link = around.links.find(v.miner);
    if (link != around.links.end()) v.link = link->second;
    v.meets_demands = meets(v.link, demands);
}

}  // namespace

std::vector<verdict> judge(const observation& o, const thresholds& demands, round_codec codec,
                           std::size_t parameters)
{
    std::map<std::uint16_t, verdict> all;
    const auto roles = roles_of(o.what.group);
    for (std::size_t rank = 0; rank < roles.size(); ++rank) {
        const auto& m = o.what.group.members[rank];
        if (!votes(roles[rank])) continue;
        verdict& v = all[m.id];
        v.miner = m.id;
        v.at = m.at;
        v.butterfly = butterfly_bytes(codec, parameters, roles, rank, o.shares);
        v.part = part_bytes(codec, parameters, roles, rank, o.shares);
        if (rank < o.seen.peers.size()) v.to_observer = o.seen.peers[rank].received;
        take_report(v, o);
    }
    for (const auto& [id, m] : o.around.members) {
        if (!m.present || all.contains(id)) continue;
        verdict& v = all[id];
        v.miner = id;
        v.at = m.at;
        v.status = "absent";
    }
    std::vector<verdict> verdicts;
    for (auto& [id, v] : all) {
        take_surroundings(v, o.around, demands);
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
    return {{"round", o.what.group.round + 1},
            {"attempt", o.what.group.attempt},
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
            {"meets_demands", v.meets_demands},
            {"score", v.score()},
            {"digest", v.digest},
            {"digest_matches", v.took_part},
            {"held_out_loss", or_null(held_out_loss)}};
}

}  // namespace papilio::example
