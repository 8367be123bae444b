#include "perf/options.hpp"

#include "perf/papilio/call.hpp"
#include "perf/parse.hpp"

#include <papilio/plan/choice.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <optional>

namespace papilio::perf {

namespace {

/// The values that can be interpreted only after all options are read.
struct raw {
    std::size_t least = std::size_t{64} << 20;
    std::optional<std::size_t> most;
    std::size_t factor = 2;
    std::size_t step = 0;
    std::vector<double> up, down;
    std::string radices;
    std::string transport;
    bool local = false;
    bool netns = false;
    bool simulated = false;
};

std::vector<double> rates(std::string_view name, std::string_view text)
{
    std::vector<double> all;
    for (const auto one : split(text)) all.push_back(number(name, one, 0.001, 1e6));
    return all;
}

template <class Value, std::size_t N>
std::vector<Value> named(const char* what, std::string_view text,
                         const std::pair<std::string_view, Value> (&names)[N])
{
    std::vector<Value> all;
    for (const auto one : split(text)) {
        const auto before = all.size();
        for (const auto& [name, value] : names)
            if (one == name || one == "all") all.push_back(value);
        if (all.size() == before)
            refuse("there is no " + std::string(what) + ' ' + std::string(one));
    }
    return all;
}

std::vector<std::string> words(const char* what, std::string_view text,
                               const std::vector<std::string_view>& known)
{
    std::vector<std::string> all;
    for (const auto one : split(text)) {
        if (std::ranges::find(known, one) == known.end())
            refuse("there is no " + std::string(what) + ' ' + std::string(one));
        all.emplace_back(one);
    }
    return all;
}

template <class T>
T only(std::string_view name, const std::vector<T>& all)
{
    if (all.size() != 1) refuse(std::string(name) + " takes one of them at a time");
    return all.front();
}

using reader = std::function<void(options&, raw&, std::string_view name, std::string_view value)>;

void place(options& o, std::string_view value)
{
    if (value != "both" && value != "out" && value != "in") refuse("--place is both, out or in");
    o.out_of_place = value != "in";
    o.in_place = value != "out";
}

/// The plot is always SVG. Another ending would name another format.
std::string svg_file(std::string_view name, std::string_view value)
{
    if (!value.ends_with(".svg"))
        refuse(std::string(name) + " takes a file name that ends in .svg, not '" +
               std::string(value) + "'");
    return std::string(value);
}

constexpr int many = 1'000'000;

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

const std::map<std::string_view, reader>& sizes_and_counts()
{
    using V = std::string_view;
    static const std::map<V, reader> all{
        {"-b", [](options&, raw& r, V n, V v) { r.least = size(n, v); }},
        {"-e", [](options&, raw& r, V n, V v) { r.most = size(n, v); }},
        {"-f", [](options&, raw& r, V n, V v) { r.factor = number<std::size_t>(n, v, 1, many); }},
        {"-i", [](options&, raw& r, V n, V v) { r.step = v == "0" ? 0 : size(n, v); }},
        {"--sizes",
         [](options& o, raw&, V n, V v) {
             for (const auto one : split(v)) o.sizes.push_back(size(n, one));
         }},
        {"-n", [](options& o, raw&, V n, V v) { o.iterations = number(n, v, 1, many); }},
        {"-w", [](options& o, raw&, V n, V v) { o.warm_up = number(n, v, 0, many); }},
        {"-c", [](options& o, raw&, V n, V v) { o.check = number(n, v, 0) != 0; }},
        {"--runs", [](options& o, raw&, V n, V v) { o.runs = number(n, v, 1, many); }},
        {"--idle", [](options& o, raw&, V n, V v) { o.idle_seconds = number(n, v, 0.001, 1e6); }},
        {"-d", [](options& o, raw&, V, V v) { o.types = named("type", v, type_names); }},
        {"-o", [](options& o, raw&, V, V v) { o.ops = named("operation", v, op_names); }},
        {"--collective", [](options& o, raw&, V n,
                            V v) { o.what = only(n, named("collective", v, collective_names)); }},
        {"--place", [](options& o, raw&, V, V v) { place(o, v); }},
    };
    return all;
}

const std::map<std::string_view, reader>& everything_else()
{
    using V = std::string_view;
    static const std::map<V, reader> all{
        {"--local",
         [](options& o, raw& r, V n, V v) {
             r.local = true;
             o.peers = number(n, v, 2, 4096);
         }},
        {"--sim",
         [](options& o, raw& r, V n, V v) {
             r.simulated = true;
             o.peers = number(n, v, 2, 65'536);
         }},
        {"--up", [](options&, raw& r, V n, V v) { r.up = rates(n, v); }},
        {"--down", [](options&, raw& r, V n, V v) { r.down = rates(n, v); }},
        {"--rtt", [](options& o, raw&, V n, V v) { o.rtt_ms = number(n, v, 0.0, 1e6); }},
        {"--transport",
         [](options&, raw& r, V n, V v) {
             r.transport = only(n, words("transport", v, {"tcp", "shm", "auto", "inproc", "sim"}));
         }},
        {"--codec", [](options& o, raw&, V, V v) { o.codecs = words("codec", v, codec_names()); }},
        {"--rivals",
         [](options& o, raw&, V, V v) {
             o.rivals = words("rival", v, {"gloo", "openmpi", "mpich"});
         }},
        {"--radix", [](options&, raw& r, V, V v) { r.radices = v; }},
        {"--congestion", [](options& o, raw&, V, V v) { o.congestion = v; }},
        {"--streams", [](options& o, raw&, V n, V v) { o.streams = number(n, v, 1); }},
        {"--threads", [](options& o, raw&, V n, V v) { o.threads = number(n, v, 0); }},
        {"--chunk", [](options& o, raw&, V n, V v) { o.chunk_bytes = size(n, v); }},
        {"--in-flight",
         [](options& o, raw&, V n, V v) { o.in_flight = number<std::size_t>(n, v, 1); }},
        {"--timeout",
         [](options& o, raw&, V n, V v) { o.timeout_seconds = number(n, v, 0.001, 1e6); }},
        {"--csv", [](options& o, raw&, V, V v) { o.csv = v; }},
        {"--json", [](options& o, raw&, V, V v) { o.json = v; }},
        {"--gbench-json", [](options& o, raw&, V, V v) { o.gbench_json = v; }},
        {"--plot", [](options& o, raw&, V n, V v) { o.plot = svg_file(n, v); }},
        {"--require", [](options& o, raw&, V, V v) { o.required.push_back(read_requirement(v)); }},
    };
    return all;
}

/// Replaces the long names that nccl-tests has for some options.
std::string_view short_name(std::string_view name)
{
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"--minbytes", "-b"},  {"--maxbytes", "-e"}, {"--stepfactor", "-f"},
        {"--stepbytes", "-i"}, {"--iters", "-n"},    {"--warmup_iters", "-w"},
        {"--check", "-c"},     {"--datatype", "-d"}, {"--op", "-o"}};
    for (const auto& [longer, shorter] : names)
        if (name == longer) return shorter;
    return name;
}

bool read_flag(options& o, raw& r, std::string_view name)
{
    if (name == "--netns") return r.netns = true;
    if (name == "--first") return o.first = true;
    if (name == "--even-parts") return o.even_parts = true;
    if (name == "--adaptive") return o.adaptive = true;
    return false;
}

void set_sizes(options& o, const raw& r)
{
    const auto most = r.most.value_or(r.least);
    if (o.sizes.empty()) {
        if (most < r.least) refuse("-e is at least -b");
        if (r.step == 0 && r.factor < 2 && most > r.least) refuse("-f is at least 2");
        for (auto s = r.least; s <= most; s = r.step > 0 ? s + r.step : s * r.factor) {
            o.sizes.push_back(s);
            if (s == most || o.sizes.size() > 1000) break;
        }
    }
    if (o.sizes.size() > 1000) refuse("those are more than 1000 sizes");
    for (auto& s : o.sizes) s = std::max<std::size_t>(s / 8 * 8, 8);
}

void set_links(options& o, const raw& r)
{
    if (r.up.empty() && !r.down.empty()) refuse("--down goes with --up");
    if (r.up.empty()) return;
    const auto& down = r.down.empty() ? r.up : r.down;
    const auto n = static_cast<std::size_t>(o.peers);
    for (const auto* list : {&r.up, &down})
        if (list->size() != 1 && list->size() != n)
            refuse("--up and --down name one rate, or one for each of the " + std::to_string(n) +
                   " peers");
    for (std::size_t i = 0; i < n; ++i)
        o.mbit.push_back({r.up[r.up.size() == 1 ? 0 : i], down[down.size() == 1 ? 0 : i]});
}

void set_radices(options& o, const raw& r)
{
    if (!r.radices.empty()) o.radices = radices("--radix", r.radices, o.peers);
    for (const auto& radix : o.radices) {
        long product = 1;
        for (const int stage : radix) product = std::min(product * stage, 1'000'000L);
        if (!radix.empty() && product != o.peers)
            refuse("the stages of each --radix multiply to the " + std::to_string(o.peers) +
                   " peers");
    }
}

void set_transport(options& o, const raw& r)
{
    if (r.simulated && !r.transport.empty() && r.transport != "sim")
        refuse("--sim simulates the links, too; leave out --transport " + r.transport);
    if (!r.transport.empty()) o.transport = r.transport;
    if (r.simulated) o.transport = "sim";
}

std::optional<launcher_rank> launched_as(const raw& r)
{
    try {
        return r.local ? std::nullopt : find_launcher_rank();
    } catch (const std::exception& mistake) {
        refuse(mistake.what());
    }
}

/// Sets the place of the peers. Reads the environment of a launcher only if no option sets the
/// place.
void set_place(options& o, const raw& r)
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
        o.peers = found->peers;
    } else if (!r.up.empty() || !r.down.empty() || o.rtt_ms > 0) {
        refuse(
            "nothing shapes what peers of one machine send each other: --up, --down and --rtt "
            "take --netns or --sim, or tell of a cluster's links");
    }
}

}  // namespace

options read_options(int argc, char** argv)
{
    options o;
    raw r;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help" || name == "-h") {
            std::fputs(help, stdout);
            std::exit(0);
        }
        if (read_flag(o, r, name)) continue;
        const auto key = short_name(name);
        const auto* known = &sizes_and_counts();
        if (!known->contains(key)) known = &everything_else();
        if (!known->contains(key)) refuse("there is no option " + std::string(name));
        if (i + 1 == argc) refuse(std::string(name) + " takes a value");
        known->at(key)(o, r, name, argv[++i]);
    }
    set_sizes(o, r);
    set_transport(o, r);
    set_place(o, r);
    set_links(o, r);
    set_radices(o, r);
    return o;
}

}  // namespace papilio::perf
