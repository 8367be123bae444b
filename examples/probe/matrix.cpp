#include "matrix.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace papilio::example {

namespace {

double seconds(duration d)
{
    return std::chrono::duration<double>(d).count();
}

double mbit(double bytes_per_second)
{
    return bytes_per_second * 8 / 1e6;
}

/// Four significant digits are more than a measurement is good for.
std::string short_figure(double value)
{
    return value > 0 ? fmt::format("{:.4g}", value) : "-";
}

using figure_of = std::function<double(const link_figures_each&)>;

std::string square(const link_matrix& m, const std::string& title, const figure_of& figure)
{
    std::string text = title + "\n" + fmt::format("{:>6}", "");
    for (std::size_t to = 0; to < m.peers(); ++to) text += fmt::format("{:>9}", to);
    text += '\n';
    for (std::size_t from = 0; from < m.peers(); ++from) {
        text += fmt::format("{:>6}", from);
        for (std::size_t to = 0; to < m.peers(); ++to)
            text += fmt::format("{:>9}", from == to ? "" : short_figure(figure(m.at(from, to))));
        text += '\n';
    }
    return text;
}

bool any_duplex(const link_matrix& m)
{
    for (std::size_t from = 0; from < m.peers(); ++from)
        for (std::size_t to = 0; to < m.peers(); ++to)
            if (m.at(from, to).duplex_bytes_per_second > 0) return true;
    return false;
}

double fastest(const link_matrix& m, std::size_t peer, bool up)
{
    double most = 0;
    for (std::size_t other = 0; other < m.peers(); ++other) {
        if (other == peer) continue;
        const auto way = up ? m.at(peer, other) : m.at(other, peer);
        most = std::max(most, way.bytes_per_second);
    }
    return most;
}

}  // namespace

void link_matrix::note(std::size_t verifier, std::size_t other, const round_trip& trip,
                       const bandwidth& b)
{
    const auto set = [&](std::size_t from, std::size_t to, double rate, double duplex) {
        const std::array<double, figures> all{rate,
                                              duplex,
                                              seconds(trip.min),
                                              seconds(trip.p50),
                                              seconds(trip.p99),
                                              seconds(trip.jitter)};
        const auto cell = static_cast<std::ptrdiff_t>((from * peers_ + to) * figures);
        std::ranges::copy(all, cells_.begin() + cell);
    };
    set(verifier, other, b.down_bytes_per_second, b.duplex_down_bytes_per_second);
    set(other, verifier, b.up_bytes_per_second, b.duplex_up_bytes_per_second);
}

link_figures_each link_matrix::at(std::size_t from, std::size_t to) const
{
    const auto* c = cells_.data() + (from * peers_ + to) * figures;
    return {c[0], c[1], c[2], c[3], c[4], c[5]};
}

bool link_matrix::complete() const
{
    for (std::size_t from = 0; from < peers_; ++from)
        for (std::size_t to = 0; to < peers_; ++to)
            if (from != to && !(at(from, to).bytes_per_second > 0)) return false;
    return true;
}

std::string to_table(const link_matrix& m, const std::vector<std::string>& peers)
{
    std::size_t widest = 4;
    for (const auto& p : peers) widest = std::max(widest, p.size());
    std::string text = fmt::format("{:>6}  {:<{}}{:>14}{:>16}\n", "peer", "who", widest,
                                   "up Mbit/s", "down Mbit/s");
    for (std::size_t i = 0; i < m.peers(); ++i)
        text += fmt::format("{:>6}  {:<{}}{:>14}{:>16}\n", i, peers[i], widest,
                            short_figure(mbit(fastest(m, i, true))),
                            short_figure(mbit(fastest(m, i, false))));
    const auto ms = [](double s) { return s * 1e3; };
    text += square(m, "\nMbit/s, from the row's peer to the column's",
                   [](const auto& f) { return mbit(f.bytes_per_second); });
    if (any_duplex(m))
        text += square(m, "\nMbit/s, both ways at the same time",
                       [](const auto& f) { return mbit(f.duplex_bytes_per_second); });
    text +=
        square(m, "\nms there and back: the shortest", [&](const auto& f) { return ms(f.min); });
    text += square(m, "\nhalf are shorter than", [&](const auto& f) { return ms(f.p50); });
    text += square(m, "\n99 of 100 are shorter than", [&](const auto& f) { return ms(f.p99); });
    text += square(m, "\njitter: the mean change from one to the next",
                   [&](const auto& f) { return ms(f.jitter); });
    return text;
}

std::string to_json(const link_matrix& m, const std::vector<std::string>& peers)
{
    nlohmann::ordered_json all;
    all["version"] = 1;
    all["peers"] = nlohmann::ordered_json::array();
    all["links"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < m.peers(); ++i)
        all["peers"].push_back({{"peer", i},
                                {"who", peers[i]},
                                {"up_bytes_per_second", fastest(m, i, true)},
                                {"down_bytes_per_second", fastest(m, i, false)}});
    for (std::size_t from = 0; from < m.peers(); ++from)
        for (std::size_t to = 0; to < m.peers(); ++to) {
            const auto f = m.at(from, to);
            if (from == to || !(f.bytes_per_second > 0)) continue;
            nlohmann::ordered_json link = {{"from", from},
                                           {"to", to},
                                           {"bytes_per_second", f.bytes_per_second},
                                           {"rtt_min_ms", f.min * 1e3},
                                           {"rtt_p50_ms", f.p50 * 1e3},
                                           {"rtt_p99_ms", f.p99 * 1e3},
                                           {"rtt_jitter_ms", f.jitter * 1e3}};
            if (f.duplex_bytes_per_second > 0)
                link["duplex_bytes_per_second"] = f.duplex_bytes_per_second;
            all["links"].push_back(std::move(link));
        }
    constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
    return all.dump(2, ' ', false, replace) + "\n";
}

}  // namespace papilio::example
