#include "perf/network/private_network.hpp"
#include "perf/shell.hpp"
#include "perf/skip.hpp"
#include "perf/temporary_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace papilio::perf {

namespace {

bool have_iperf()
{
    return shell("command -v iperf3 >/dev/null");
}

/// The shell's words for one measurement into a file of JSON. The server may need a moment.
std::string measurement_of(const std::string& server, const std::string& client,
                           const std::string& address, const std::string& options,
                           const std::string& file)
{
    const char* congestion = std::getenv("PAPILIO_PERF_CONGESTION");
    return "ip netns exec " + server + " timeout 30 iperf3 -s -1 -B " + address +
           " >/dev/null & "
           "( for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; ip netns exec " +
           client + " timeout 30 iperf3 -c " + address + " -J " + options +
           (congestion ? " -C " + std::string(congestion) : std::string()) + " >" + file +
           " && break; done ) & ";
}

/// The number behind the first `key` that follows `section`. iperf3's output is known well enough
/// not to need a parser.
double number_in(const std::string& file, const std::string& section, const std::string& key)
{
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    const auto all = text.str();
    const auto from = all.find('"' + section + '"');
    const auto at = from == std::string::npos ? from : all.find('"' + key + '"', from);
    if (at == std::string::npos)
        throw std::runtime_error("iperf3 did not measure the links: " + all.substr(0, 300));
    return std::strtod(all.c_str() + all.find(':', at) + 1, nullptr);
}

constexpr double frame_share = 1448.0 / 1514;  // payload of a full frame

}  // namespace

private_network::payload_rates private_network::measure_payload() const
{
    payload_rates rates;
    rates.by = "the share of full frames";
    for (const auto& l : mbit_)
        rates.payload.push_back({l.up * 125e3 * frame_share, l.down * 125e3 * frame_share});
    if (!have_iperf()) {
        skip(
            "measuring the links: iperf3 is not installed; eta is against the nominal rates' "
            "payload share");
        return rates;
    }
    rates.by = "iperf3";
    for (int attempt = 0; attempt < 4; ++attempt) {
        const auto found = measure_once();
        bool plausible = true;
        for (std::size_t rank = 0; rank < found.size(); ++rank) {
            auto& best = rates.payload[rank];
            if (attempt == 0) best = {0, 0};
            best = {std::max(best.up, found[rank].up), std::max(best.down, found[rank].down)};
            const auto& nominal = mbit_[rank];
            plausible = plausible && best.up > 0.94 * frame_share * nominal.up * 125e3 &&
                        best.down > 0.94 * frame_share * nominal.down * 125e3;
        }
        if (plausible) return rates;
    }
    skip(
        "trusting the links: in four attempts iperf3 did not reach what full frames would carry. "
        "Is the machine busy with something else?");
    return rates;
}

/// All links at once, first all up, then all down.
std::vector<access_rate> private_network::measure_once() const
{
    const temporary_folder folder;
    std::vector<access_rate> found(mbit_.size());
    for (const bool down : {false, true}) {
        std::string script;
        for (std::size_t rank = 0; rank < mbit_.size(); ++rank)
            script += measurement_of(
                name_, home(static_cast<int>(rank)), "10.77." + std::to_string(rank) + ".1",
                down ? "-t 2 -O 1 -R" : "-t 2 -O 1", folder.path() + "/" + std::to_string(rank));
        must(script + "wait");
        for (std::size_t rank = 0; rank < mbit_.size(); ++rank) {
            const auto file = folder.path() + "/" + std::to_string(rank);
            (down ? found[rank].down : found[rank].up) =
                number_in(file, "sum_received", "bits_per_second") / 8;
        }
    }
    return found;
}

std::optional<private_network::through> private_network::measure_through() const
{
    if (!have_iperf() || mbit_.size() < 2) return std::nullopt;
    const temporary_folder folder;
    const auto file = folder.path() + "/through";
    must(measurement_of(home(1), home(0), address(1), "-t 5 -O 3 -P 4", file) + "wait");
    return through{number_in(file, "sum_received", "bits_per_second") / 8,
                   number_in(file, "end", "min_rtt") / 1e3};
}

}  // namespace papilio::perf
