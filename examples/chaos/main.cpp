#include "director.hpp"
#include "options.hpp"
#include "process_options.hpp"
#include "run_folder.hpp"
#include "sockets.hpp"

#include <member/program.hpp>
#include <member/signals.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace papilio::example::chaos {

namespace {

void say(const std::string& line)
{
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

/// Those of the wanted kinds that this system refuses, and why.
std::vector<left_out_kind> left_out_here(const std::vector<fault>& wanted)
{
    std::vector<left_out_kind> all;
    const auto add = [&](fault kind, const std::string& why, const char* needs) {
        if (!why.empty() && std::ranges::find(wanted, kind) != wanted.end())
            all.push_back({kind, fmt::format("{}: it needs {}", why, needs)});
    };
    for (const fault kind : {fault::link_down, fault::descriptors})
        add(kind, why_not_borrow(), "Linux 5.6 and leave to trace its own children");
    add(fault::one_way, why_not_drop(), "root");
    return all;
}

std::vector<fault> wanted_kinds(const chaos_options& o)
{
    if (!o.only.empty()) return o.only;
    std::vector<fault> all;
    for (const auto& f : faults) all.push_back(f.kind);
    return all;
}

int stage(const chaos_options& o)
{
    schedule_options s{o.seed, o.minutes, o.peers, o.every, wanted_kinds(o)};
    const auto left_out = left_out_here(s.kinds);
    for (const auto& l : left_out) {
        say(fmt::format("LEFT OUT: {}, since {}", entry_of(l.kind).name, l.why));
        std::erase(s.kinds, l.kind);
    }
    auto plan = schedule(s);
    if (o.schedule) {
        for (const auto& f : plan) say(fmt::format("{:7.1f} s  {}", f.at, to_string(f)));
        return exit_ok;
    }
    const signals asked_to_end("ending the run, and judging what was seen of it");
    run_folder folder(o.folder);
    director d(o, std::move(plan), folder.path(), say);
    d.found().left_out = left_out;
    say(fmt::format("{} members for {} minutes, seed {}; what they write is in {}", o.peers,
                    o.minutes, o.seed, folder.path().string()));
    d.run(asked_to_end.token());
    say(to_text(d.found()));
    if (d.found().failures.empty())
        return asked_to_end.number() == 0 ? exit_ok : exit_by_signal(asked_to_end.number());
    folder.keep();
    say(fmt::format("to repeat it: {}", to_repeat(o)));
    return exit_failure;
}

int run(int argc, char** argv)
{
    constexpr std::string_view hidden = "--as";  // how it starts its own processes
    if (argc == 3 && argv[1] == hidden) {
        const auto o = from_argument(argv[2]);
        return o.number == 0 ? be_host(o) : be_member(o);
    }
    return stage(parse_chaos_options(argc, argv));
}

}  // namespace

}  // namespace papilio::example::chaos

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-chaos", [&] { return chaos::run(argc, argv); });
}
