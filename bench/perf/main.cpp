// papilio-perf measures papilio's all-reduce, alone or beside its rivals, over many kinds of links.
// See --help and docs/reference/perf.md.

#include "perf/congestion.hpp"
#include "perf/coordinator.hpp"
#include "perf/interrupt.hpp"
#include "perf/losses/measure_losses.hpp"
#include "perf/options.hpp"
#include "perf/parse.hpp"
#include "perf/report.hpp"
#include "perf/systems.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace papilio::perf {

namespace {

/// Ends the program if an output file cannot be written. It runs before the measurement and leaves
/// no new file behind.
void refuse_unwritable_files(const options& o)
{
    for (const auto* path : {&o.csv, &o.json, &o.gbench_json, &o.plot}) {
        if (path->empty()) continue;
        std::error_code ignored;
        const bool stands = std::filesystem::exists(*path, ignored);
        if (!std::ofstream(*path, std::ios::app))
            refuse("cannot write " + *path + ": " + std::strerror(errno));
        if (!stands) std::filesystem::remove(*path, ignored);
    }
}

void write_files(const options& o, const std::vector<row>& rows, const environment& env)
{
    if (!o.csv.empty()) write_csv(o.csv, rows, env);
    if (!o.json.empty()) write_json(o.json, rows, env, o);
    if (!o.gbench_json.empty()) write_gbench_json(o.gbench_json, rows, env);
    if (!o.plot.empty()) write_plot(o.plot, rows, env);
}

/// Prints every wrong result. Returns true if there is none.
bool all_right(const std::vector<row>& rows)
{
    bool good = true;
    for (const auto& r : rows)
        for (const auto* c : {&r.out_of_place, &r.in_place}) {
            if (!*c || ((*c)->wrong == 0 && (*c)->lost == 0)) continue;
            good = false;
            std::printf("# FAILED: %s: %llu wrong elements, %d peers lost\n", r.system.c_str(),
                        static_cast<unsigned long long>((*c)->wrong), (*c)->lost);
        }
    return good;
}

/// The rates of the links. They are measured in namespaces, defined in a simulation, and else given
/// by the command line.
link_table know_links(const options& o, const private_network* net, environment& env)
{
    if (net) {
        const auto rates = net->measure_payload();
        env.measured = rates.payload;
        env.measured_by = rates.by;
        if (const auto through = net->measure_through()) {
            env.through_bytes_per_second = through->bytes_per_second;
            env.through_rtt_ms = through->rtt_ms;
        }
    } else {
        for (const auto& l : o.mbit) env.measured.push_back({l.up * 125e3, l.down * 125e3});
        env.measured_by = o.where == network::simulated ? "definition" : "--up and --down";
    }
    const double within_a_machine = 5e-5;
    const double latency = std::max(o.rtt_ms / 2e3, net ? within_a_machine : 0);
    return {.access = env.measured, .latency_seconds = latency};
}

int measure_and_report(const options& o, environment env, const private_network* net)
{
    const auto links = know_links(o, net, env);
    auto all = make_systems(o, links, net);
    print_head(env, o);
    const auto rows = measure_systems(
        o, all, links, [&](const std::vector<row>& group) { print_rows(group, env); });
    all.clear();
    if (rows.empty()) throw std::runtime_error("nothing was measured");
    print_more(rows, env, o);
    write_files(o, rows, env);
    const bool right = all_right(rows);
    const bool met = check_requirements(o.required, rows);
    return right && met ? 0 : 1;
}

int run(const options& o, int argc, char** argv)
{
    watch_for_interrupts();
    if (!o.congestion.empty()) use_congestion(o.congestion);
    auto env = read_environment(o, argc, argv);
    if (!o.launched_as || o.launched_as->rank == 0) refuse_unwritable_files(o);
    if (o.where == network::cluster) {
        const auto links = know_links(o, nullptr, env);
        if (o.launched_as->rank > 0) return serve_cluster(o, links) ? 0 : 1;
        const child_process own([&] { return serve_cluster(o, links); });
        return measure_and_report(o, std::move(env), nullptr);
    }
    std::unique_ptr<private_network> net;
    if (o.where == network::namespaces) net = std::make_unique<private_network>(o.mbit, o.rtt_ms);
    if (!o.losses.empty()) return measure_losses(o, env, net.get()) ? 0 : 1;
    return measure_and_report(o, std::move(env), net.get());
}

}  // namespace

}  // namespace papilio::perf

int main(int argc, char** argv)
{
    try {
        const auto options = papilio::perf::read_options(argc, argv);
        return papilio::perf::run(options, argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "papilio-perf: %s\n", failure.what());
        return 1;
    }
}
