#include "perf/report.hpp"

#include <papilio/base/units.hpp>
#include <papilio/plan/stage_choice.hpp>

#include <cmath>
#include <cstdio>

namespace papilio::perf {

namespace {

/// A number with four significant digits.
std::string figure(double value)
{
    char text[32];
    std::snprintf(text, sizeof(text), value >= 999.95 ? "%.0f" : "%.4g", value);
    return text;
}

std::string rates_text(const environment& env)
{
    std::string text;
    for (std::size_t rank = 0; rank < env.nominal.size(); ++rank) {
        text += "#   peer " + std::to_string(rank) + ": " + figure(env.nominal[rank].up) + '/' +
                figure(env.nominal[rank].down) + " Mbit/s up/down";
        if (rank < env.measured.size())
            text += ", payload " + figure(env.measured[rank].up * 8e-6) + '/' +
                    figure(env.measured[rank].down * 8e-6) + " by " + env.measured_by;
        text += '\n';
        if (rank == 15 && env.nominal.size() > 17) {
            text += "#   and " + std::to_string(env.nominal.size() - 16) + " more\n";
            break;
        }
    }
    if (env.through_bytes_per_second > 0)
        text += "#   from peer 0 to peer 1, iperf3 with four streams: " +
                figure(env.through_bytes_per_second * 8e-6) + " Mbit/s, " +
                figure(env.through_rtt_ms) + " ms there and back when idle\n";
    return text;
}

void print_cell(const row& r, const std::optional<cell>& c, double factor)
{
    if (!c) {
        std::printf(" %9s %8s %8s %6s", "N/A", "N/A", "N/A", "N/A");
        return;
    }
    const auto speed = r.algbw(*c) / 1e9;
    std::printf(" %9s %8s %8s %6s", figure(c->seconds * 1e6).c_str(), figure(speed).c_str(),
                figure(speed * factor).c_str(),
                c->checked ? std::to_string(c->wrong).c_str() : "N/A");
}

std::string or_nothing(bool there, double value)
{
    return there ? figure(value) : "-";
}

std::string eta_text(const row& r, double seconds)
{
    const auto eta = r.eta(seconds);
    return or_nothing(!std::isnan(eta), eta);
}

/// Prints the reason if eta is missing because a call took less time than the bound.
void print_notes(const std::vector<row>& rows, const options& o)
{
    bool any = false;
    for (const auto& r : rows)
        for (const auto& [name, seconds] : {std::pair{"eta", r.main().seconds},
                                            {"eta first", r.first_seconds},
                                            {"eta idle", r.idle_seconds}}) {
            if (!r.beats_bound(seconds)) continue;
            if (!any) std::printf("#\n# eta is - where a call took less time than the bound:\n");
            any = true;
            std::printf("#   %s of %s at %s: the call took %s us, the bound is %s us\n", name,
                        r.system.c_str(), r.case_text().c_str(), figure(seconds * 1e6).c_str(),
                        figure(r.bound_seconds * 1e6).c_str());
        }
    if (!any) return;
    if (o.where == network::namespaces)
        std::printf(
            "# The bound is computed from the measured rate of each link. A token bucket that is\n"
            "# not empty passes up to 64 KiB faster than this rate. Larger sizes empty it.\n");
    else
        std::printf(
            "# The bound is computed from the rates of --up and --down. The links carry more.\n");
    std::printf("# At these sizes eta of the other systems can be too high as well.\n");
}

/// Of papilio without a given radix: what its calls choose where all peers share a host, and why.
void print_stages(const std::vector<row>& rows, const environment& env, const options& o)
{
    const bool one_host = o.where == network::loopback && o.transport != "sim";
    const bool open = env.nominal.empty() && env.what == collective::all_reduce;
    if (!one_host || !open || env.peers < fewest_for_stages) return;
    std::size_t last = 0;
    for (const auto& r : rows) {
        if (r.system != "papilio" || r.size == last) continue;
        last = r.size;
        auto reasons = choose_stages(env.peers, r.size, true).reasons;
        for (auto at = reasons.find('\n'); at + 1 < reasons.size(); at = reasons.find('\n', at + 1))
            reasons.replace(at, 1, "\n#   ");
        std::printf("#\n# stages of papilio at %s:\n#   %s", human_bytes(r.size).c_str(),
                    reasons.c_str());
    }
}

}  // namespace

std::string row::case_text() const
{
    return human_bytes(size) + ' ' + std::string(name_in(type_names, type)) + ' ' +
           std::string(name_in(op_names, op));
}

double bus_factor(const environment& env)
{
    const double once = (env.peers - 1.0) / env.peers;
    if (env.what == collective::broadcast) return 1;
    return env.what == collective::all_reduce ? 2 * once : once;
}

void print_setting(const environment& env, const options& o)
{
    const auto what = std::string(name_in(collective_names, env.what));
    std::printf("# papilio-perf %s, %s, %s\n# %s\n# %s, %d peers, %s, %s", env.version.c_str(),
                env.compiler.c_str(), env.date.c_str(), env.machine.c_str(), what.c_str(),
                env.peers, env.transport.c_str(), env.network.c_str());
    if (!env.congestion.empty()) std::printf(", congestion control %s", env.congestion.c_str());
    std::printf("\n%s", rates_text(env).c_str());
    std::printf("# %d runs of %d warm-ups and %d iterations; %s\n", o.runs, o.warm_up, o.iterations,
                env.command.c_str());
}

void print_head(const environment& env, const options& o)
{
    print_setting(env, o);
    std::printf("#\n");
    std::printf("# %-29s %34s %34s %34s\n", "", "", "out-of-place      ", "in-place      ");
    std::printf("# %-27s %11s %11s %8s %5s %9s %8s %8s %6s %9s %8s %8s %6s\n", "system", "size",
                "count", "type", "redop", "time", "algbw", "busbw", "#wrong", "time", "algbw",
                "busbw", "#wrong");
    std::printf("# %-27s %11s %11s %8s %5s %9s %8s %8s %6s %9s %8s %8s %6s\n", "", "(B)",
                "(elements)", "", "", "(us)", "(GB/s)", "(GB/s)", "", "(us)", "(GB/s)", "(GB/s)",
                "");
    std::fflush(stdout);
}

void print_rows(const std::vector<row>& rows, const environment& env)
{
    for (const auto& r : rows) {
        std::printf("  %-27s %11zu %11llu %8s %5s", r.label().c_str(), r.size,
                    static_cast<unsigned long long>(r.count),
                    std::string(name_in(type_names, r.type)).c_str(),
                    std::string(name_in(op_names, r.op)).c_str());
        print_cell(r, r.out_of_place, bus_factor(env));
        print_cell(r, r.in_place, bus_factor(env));
        std::printf("\n");
    }
    std::fflush(stdout);
}

void print_more(const std::vector<row>& rows, const environment& env, const options& o)
{
    std::printf("#\n# %-27s %11s %9s %9s %9s %7s %7s %9s %9s %7s %7s %5s %6s %9s %7s %9s %7s\n",
                "system", "size", "p50", "p99", "wire", "eta", "pred", "relerr", "cpu", "peak",
                "peak", "lost", "ratio", "first", "eta", "idle", "eta");
    std::printf("# %-27s %11s %9s %9s %9s %7s %7s %9s %9s %7s %7s %5s %6s %9s %7s %9s %7s\n", "",
                "(B)", "(us)", "(us)", "", "", "", "", "(ns/B)", "(B/B)", "in pl.", "", "", "(us)",
                "first", "(us)", "idle");
    for (const auto& r : rows) {
        const auto& c = r.main();
        const auto size = static_cast<double>(r.size);
        const bool out = r.out_of_place.has_value();
        std::printf(
            "  %-27s %11zu %9s %9s %9s %7s %7s %9s %9s %7s %7s %5d %6s %9s %7s %9s %7s\n",
            r.label().c_str(), r.size, figure(c.p50 * 1e6).c_str(), figure(c.p99 * 1e6).c_str(),
            c.measures_wire ? human_bytes(static_cast<std::uint64_t>(c.wire_bytes)).c_str() : "-",
            eta_text(r, c.seconds).c_str(),
            or_nothing(r.predicted_seconds > 0, r.predicted_seconds / c.seconds).c_str(),
            or_nothing(c.checked, c.relative_error).c_str(),
            figure(c.processor_seconds * 1e9 / size).c_str(),
            or_nothing(out, c.peak_bytes / size).c_str(),
            or_nothing(r.in_place.has_value(), (r.in_place ? *r.in_place : c).peak_bytes / size)
                .c_str(),
            c.lost, or_nothing(r.ratio > 0, r.ratio).c_str(),
            or_nothing(r.first_seconds > 0, r.first_seconds * 1e6).c_str(),
            eta_text(r, r.first_seconds).c_str(),
            or_nothing(r.idle_seconds > 0, r.idle_seconds * 1e6).c_str(),
            eta_text(r, r.idle_seconds).c_str());
    }
    print_notes(rows, o);
    print_stages(rows, env, o);
    std::fflush(stdout);
}

}  // namespace papilio::perf
