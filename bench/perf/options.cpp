#include "perf/options.hpp"

#include "perf/losses/call_end.hpp"
#include "perf/option_table.hpp"
#include "perf/parse.hpp"

#include <papilio/base/error.hpp>
#include <papilio/plan/choice.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

namespace papilio::perf {

namespace {

/// Parses a list of butterflies. "4,2x2" is two: one stage of four, and two stages of two.
std::vector<std::vector<int>> radices(std::string_view name, std::string_view text, int peers)
{
    std::vector<std::vector<int>> all;
    for (const auto one : split(text)) {
        if (one == "all") {
            const auto every = radix_vectors(peers);
            all.insert(all.end(), every.begin(), every.end());
            continue;
        }
        all.emplace_back();
        if (one == "model") continue;
        for (const auto stage : split(one, 'x')) all.back().push_back(number(name, stage, 2));
    }
    return all;
}

void set_sizes(options& o, const raw_options& r)
{
    const auto most = r.most.value_or(r.least);
    if (o.sizes.empty()) {
        if (most < r.least)
            refuse("-e is at least -b, " + std::to_string(r.least) + ": it is " +
                   std::to_string(most));
        if (r.step == 0 && r.factor < 2 && most > r.least)
            refuse("-f is at least 2: it is " + std::to_string(r.factor));
        for (auto s = r.least; s <= most; s = r.step > 0 ? s + r.step : s * r.factor) {
            o.sizes.push_back(s);
            if (s == most || o.sizes.size() > 1000) break;
        }
    }
    if (o.sizes.size() > 1000) refuse("those are more than 1000 sizes");
    for (auto& s : o.sizes) s = std::max<std::size_t>(s / 8 * 8, 8);
}

void set_links(options& o, const raw_options& r)
{
    if (r.up.empty() && !r.down.empty()) refuse("--down goes with --up");
    if (r.up.empty()) return;
    const auto& down = r.down.empty() ? r.up : r.down;
    const auto n = static_cast<std::size_t>(o.peers);
    for (const auto* list : {&r.up, &down})
        if (list->size() != 1 && list->size() != n)
            refuse("--up and --down name one rate, or one for each of the " + std::to_string(n) +
                   " peers, not " + std::to_string(list->size()));
    for (std::size_t i = 0; i < n; ++i)
        o.mbit.push_back({r.up[r.up.size() == 1 ? 0 : i], down[down.size() == 1 ? 0 : i]});
}

void check_forms(const options& o)
{
    const bool allocates = std::ranges::count(o.allocates, true) > 0;
    if (allocates && o.transport != "shm" && o.transport != "auto")
        refuse("--memory allocated is for --transport shm and auto");
    const bool communicates = std::ranges::count(o.communicators, true) > 0;
    if (communicates && o.transport != "tcp" && o.transport != "auto")
        refuse("--calls communicator is for --transport tcp and auto");
    if (communicates && allocates) refuse("--calls communicator takes --memory ordinary");
}

void set_radices(options& o, const raw_options& r)
{
    if (!r.radices.empty()) o.radices = radices("--radix", r.radices, o.peers);
    for (const auto& radix : o.radices) {
        long product = 1;
        for (const int stage : radix) product = std::min(product * stage, 1'000'000L);
        if (!radix.empty() && product != o.peers)
            refuse("the stages of each --radix multiply to the " + std::to_string(o.peers) +
                   " peers, not to " + std::to_string(product));
    }
}

void set_transport(options& o, const raw_options& r)
{
    if (r.simulated && !r.transport.empty() && r.transport != "sim")
        refuse("--sim simulates the links, too; leave out --transport " + r.transport);
    if (!r.transport.empty()) o.transport = r.transport;
    if (r.simulated) o.transport = "sim";
}

std::optional<papilio::detail::launched> launched_as(const raw_options& r)
{
    if (r.local) return std::nullopt;
    std::optional<papilio::detail::launched> found;
    try {
        found = papilio::detail::find_launched(papilio::detail::of_process);
    } catch (const std::system_error& mistake) {
        refuse(sentence(mistake));
    }
    if (found && found->size < 2)
        refuse("a launcher has started one rank; it takes two or more, or --local");
    return found;
}

/// Sets the place of the peers. Reads the environment of a launcher only if no option sets the
/// place.
void set_place(options& o, const raw_options& r)
{
    if (o.transport == "sim") {
        if (r.local || r.netns) refuse("--sim simulates everything; leave out --local and --netns");
        if (r.up.empty()) refuse("--sim takes --up, the links' Mbit/s");
        if (!o.rivals.empty()) refuse("rivals cannot be simulated; leave out --rivals");
        o.where = network::simulated;
    } else if (r.netns) {
        if (o.transport != "tcp") refuse("--netns is for --transport tcp");
        if (r.up.empty()) refuse("--netns takes --up, the links' Mbit/s");
        if (o.peers > 200) refuse("--netns takes up to 200 peers");
        o.where = network::namespaces;
    } else if (const auto found = launched_as(r)) {
        if (o.transport == "inproc") refuse("--transport inproc is for --local");
        o.where = network::cluster;
        o.launched_as = found;
        o.peers = found->size;
    } else if (!r.up.empty() || !r.down.empty() || o.rtt_ms > 0) {
        refuse(
            "nothing shapes what peers of one machine send each other: --up, --down and --rtt "
            "take --netns or --sim, or tell of a cluster's links");
    }
}

/// Calls that lose peers are of one kind, which can be checked to the last bit.
void set_losses(options& o, const raw_options& r)
{
    if (r.losses.empty()) {
        if (o.uniform) refuse("--uniform goes with --lose");
        return;
    }
    if (o.peers > most_peers_to_lose_from)
        refuse("--lose takes up to " + std::to_string(most_peers_to_lose_from) + " peers");
    if (o.transport != "tcp" || o.where == network::cluster)
        refuse("--lose takes processes of this machine, and --transport tcp");
    const bool is_plain = o.what == collective::all_reduce && o.sizes.size() == 1 &&
                          o.types == std::vector{element_type::f32} &&
                          o.ops == std::vector{reduction::sum} &&
                          o.codecs == std::vector<std::string>{"identity"} && o.rivals.empty();
    if (!is_plain) refuse("--lose takes an all_reduce of one size, of float by sum, and no rivals");
    if (!o.csv.empty() || !o.json.empty() || !o.gbench_json.empty() || !o.plot.empty())
        refuse("--lose writes no files");
    o.losses = read_scenarios(r.losses, o.peers);
    for (const auto& s : o.losses)
        for (const auto& l : s.losses)
            if (takes_network(l.how) && o.where != network::namespaces)
                refuse("--lose " + s.text + " takes --netns");
}

}  // namespace

options read_options(int argc, char** argv)
{
    options o;
    raw_options r;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help" || name == "-h") {
            std::fputs(help, stdout);
            std::exit(0);
        }
        if (name == "--version") {
            std::fputs("papilio-perf " PAPILIO_PERF_VERSION "\n", stdout);
            std::exit(0);
        }
        if (read_flag(o, r, name)) continue;
        const auto read = find_option(name);
        if (read == nullptr) refuse("there is no option " + std::string(name));
        if (i + 1 == argc) refuse(std::string(name) + " takes a value");
        read(o, r, name, argv[++i]);
    }
    set_sizes(o, r);
    set_transport(o, r);
    set_place(o, r);
    set_links(o, r);
    check_forms(o);
    set_radices(o, r);
    set_losses(o, r);
    return o;
}

}  // namespace papilio::perf
