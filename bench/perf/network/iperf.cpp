#include "perf/network/private_network.hpp"
#include "perf/report_skipped.hpp"
#include "perf/shell.hpp"
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

/// The shell command of one measurement, which writes JSON to `file`. The client repeats its
/// attempt until the server listens.
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

/// The number after the first `key` that follows `section`. The output of iperf3 is regular, and
/// this search needs no JSON parser.
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

constexpr double frame_share = 1448.0 / 1514;  // payload bytes of a full frame

}  // namespace

private_network::payload_rates private_network::measure_payload() const
{
    payload_rates rates;
    rates.by = "the share of full frames";
    for (const auto& l : mbit_)
        rates.payload.push_back({l.up * 125e3 * frame_share, l.down * 125e3 * frame_share});
    if (!have_iperf()) {
        report_skipped(
            "measuring the links: iperf3 is not installed; eta is against the nominal rates' "
            "payload share");
        return rates;
    }
    rates.by = "iperf3";
    bool all_plausible = true;
    for (int rank = 0; rank < static_cast<int>(mbit_.size()); ++rank)
        for (const bool down : {false, true}) {
            const auto at = static_cast<std::size_t>(rank);
            const auto nominal = down ? mbit_[at].down : mbit_[at].up;
            auto& best = down ? rates.payload[at].down : rates.payload[at].up;
            best = 0;
            // Other load on the machine can only make a link look slower.
            const auto plausible = 0.97 * frame_share * nominal * 125e3;
            for (int attempt = 0; attempt < 3 && best < plausible; ++attempt)
                best = std::max(best, measure_link(rank, down));
            all_plausible = all_plausible && best >= plausible;
        }
    if (!all_plausible)
        report_skipped(
            "trusting all links: in three attempts iperf3 did not reach what full frames would "
            "carry. Is the machine busy with something else?");
    return rates;
}

double private_network::measure_link(int rank, bool down) const
{
    const temporary_folder folder;
    const auto file = folder.path() + "/link";
    must(measurement_of(name_, home(rank), "10.77." + std::to_string(rank) + ".1",
                        down ? "-t 1 -O 1 -R" : "-t 1 -O 1", file) +
         "wait");
    return number_in(file, "sum_received", "bits_per_second") / 8;
}

std::optional<private_network::through> private_network::measure_through() const
{
    if (!delay_ || !have_iperf() || mbit_.size() < 2) return std::nullopt;
    const temporary_folder folder;
    const auto full = folder.path() + "/full", quiet = folder.path() + "/quiet";
    must(measurement_of(home(1), home(0), address(1), "-t 5 -O 3 -P 4", full) + "wait");
    // A low rate leaves the queues empty, so that they add nothing to the round trip.
    must(measurement_of(home(1), home(0), address(1), "-t 2 -b 100K -l 1K", quiet) + "wait");
    return through{number_in(full, "sum_received", "bits_per_second") / 8,
                   number_in(quiet, "end", "min_rtt") / 1e3};
}

}  // namespace papilio::perf
