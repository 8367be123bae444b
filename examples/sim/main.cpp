// papilio-sim: one run of the simulator as a text, or many of them judged.

#include "checks.hpp"
#include "diagram.hpp"
#include "options.hpp"
#include "search.hpp"
#include "text.hpp"

#include <member/program.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace papilio::example::simulator {

namespace {

void print(const std::string& text)
{
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

void write(const std::string& file, const std::string& text)
{
    std::ofstream out(file, std::ios::binary);
    out << text << std::flush;
    if (!out) throw std::runtime_error("cannot write " + file);
}

int run_one(const options& o)
{
    auto s = draw_scenario(o.seed);
    if (o.schedule) s.faults = sim::parse_schedule(*o.schedule, s.peers);
    const auto record = run(s, !o.diagram.empty());
    print(to_text(record));
    if (!o.diagram.empty()) write(o.diagram, to_svg(record));
    const auto wrong = violations(record);
    if (wrong.empty()) return exit_ok;
    print("\nWhat no run may show:\n");
    for (const auto& w : wrong) print("  " + w + "\n");
    const auto smallest = shrunk(s);
    if (smallest.of.faults != s.faults)
        print("  with fewer faults: " + to_repeat(smallest.of) + "\n");
    return exit_failure;
}

int run_many(const options& o)
{
    constexpr int most_told = 20;
    const auto begin = std::chrono::steady_clock::now();
    tally all;
    int wrong = 0;
    for (std::uint64_t i = 0; i < o.seeds; ++i) {
        const auto record = run(draw_scenario(o.first_seed + i));
        add(all, record);
        if (violations(record).empty()) continue;
        if (++wrong <= most_told) print(to_text(shrunk(record.of)));
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    print(to_text(all, taken.count()));
    if (wrong == 0) return exit_ok;
    print(std::to_string(wrong) + " of these runs have shown what none may\n");
    return exit_failure;
}

}  // namespace

}  // namespace papilio::example::simulator

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-sim", [&] {
        const auto o = simulator::parse_options(argc, argv);
        return o.seeds == 0 ? simulator::run_one(o) : simulator::run_many(o);
    });
}
