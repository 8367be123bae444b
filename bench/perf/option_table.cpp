#include "perf/option_table.hpp"

#include "perf/papilio/call.hpp"
#include "perf/parse.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace papilio::perf {

namespace {

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

void set_place(options& o, std::string_view value)
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

constexpr std::pair<std::string_view, on_error> on_error_names[] = {
    {"restored", on_error::restored}, {"undefined", on_error::undefined}};

constexpr std::pair<std::string_view, bool> memory_names[] = {{"ordinary", false},
                                                              {"allocated", true}};

constexpr std::pair<std::string_view, bool> call_names[] = {{"bare", false},
                                                            {"communicator", true}};

constexpr int many = 1'000'000;

const std::map<std::string_view, option_reader>& sizes_and_counts()
{
    using V = std::string_view;
    static const std::map<V, option_reader> all{
        {"-b", [](options&, raw_options& r, V n, V v) { r.least = size(n, v); }},
        {"-e", [](options&, raw_options& r, V n, V v) { r.most = size(n, v); }},
        {"-f",
         [](options&, raw_options& r, V n, V v) { r.factor = number<std::size_t>(n, v, 1, many); }},
        {"-i", [](options&, raw_options& r, V n, V v) { r.step = v == "0" ? 0 : size(n, v); }},
        {"--sizes",
         [](options& o, raw_options&, V n, V v) {
             for (const auto one : split(v)) o.sizes.push_back(size(n, one));
         }},
        {"-n", [](options& o, raw_options&, V n, V v) { o.iterations = number(n, v, 1, many); }},
        {"-w", [](options& o, raw_options&, V n, V v) { o.warm_up = number(n, v, 0, many); }},
        {"-c", [](options& o, raw_options&, V n, V v) { o.check = number(n, v, 0) != 0; }},
        {"--runs", [](options& o, raw_options&, V n, V v) { o.runs = number(n, v, 1, many); }},
        {"--idle",
         [](options& o, raw_options&, V n, V v) { o.idle_seconds = number(n, v, 0.001, 1e6); }},
        {"-d", [](options& o, raw_options&, V, V v) { o.types = named("type", v, type_names); }},
        {"-o", [](options& o, raw_options&, V, V v) { o.ops = named("operation", v, op_names); }},
        {"--collective", [](options& o, raw_options&, V n,
                            V v) { o.what = only(n, named("collective", v, collective_names)); }},
        {"--place", [](options& o, raw_options&, V, V v) { set_place(o, v); }},
    };
    return all;
}

const std::map<std::string_view, option_reader>& everything_else()
{
    using V = std::string_view;
    static const std::map<V, option_reader> all{
        {"--local",
         [](options& o, raw_options& r, V n, V v) {
             r.local = true;
             o.peers = number(n, v, 2, 4096);
         }},
        {"--sim",
         [](options& o, raw_options& r, V n, V v) {
             r.simulated = true;
             o.peers = number(n, v, 2, 65'536);
         }},
        {"--up", [](options&, raw_options& r, V n, V v) { r.up = rates(n, v); }},
        {"--down", [](options&, raw_options& r, V n, V v) { r.down = rates(n, v); }},
        {"--rtt", [](options& o, raw_options&, V n, V v) { o.rtt_ms = number(n, v, 0.0, 1e6); }},
        {"--transport",
         [](options&, raw_options& r, V n, V v) {
             r.transport = only(n, words("transport", v, {"tcp", "shm", "auto", "inproc", "sim"}));
         }},
        {"--codec",
         [](options& o, raw_options&, V, V v) { o.codecs = words("codec", v, codec_names()); }},
        {"--rivals",
         [](options& o, raw_options&, V, V v) {
             o.rivals = words("rival", v, {"gloo", "openmpi", "mpich", "one-mapping"});
         }},
        {"--on-error",
         [](options& o, raw_options&, V, V v) {
             o.on_errors = named("choice of what is left after an error", v, on_error_names);
         }},
        {"--memory",
         [](options& o, raw_options&, V, V v) { o.allocates = named("memory", v, memory_names); }},
        {"--calls",
         [](options& o, raw_options&, V, V v) { o.communicators = named("calls", v, call_names); }},
        {"--radix", [](options&, raw_options& r, V, V v) { r.radices = v; }},
        {"--lose", [](options&, raw_options& r, V, V v) { r.losses = v; }},
        {"--congestion", [](options& o, raw_options&, V, V v) { o.congestion = v; }},
        {"--streams", [](options& o, raw_options&, V n, V v) { o.streams = number(n, v, 1); }},
        {"--crc",
         [](options& o, raw_options&, V n, V v) {
             o.crc = only(n, words("choice of links", v, {"between-hosts", "always", "never"}));
         }},
        {"--threads", [](options& o, raw_options&, V n, V v) { o.threads = number(n, v, 0); }},
        {"--chunk", [](options& o, raw_options&, V n, V v) { o.chunk_bytes = size(n, v); }},
        {"--in-flight",
         [](options& o, raw_options&, V n, V v) { o.in_flight = number<std::size_t>(n, v, 1); }},
        {"--timeout",
         [](options& o, raw_options&, V n, V v) { o.timeout_seconds = number(n, v, 0.001, 1e6); }},
        {"--csv", [](options& o, raw_options&, V, V v) { o.csv = v; }},
        {"--json", [](options& o, raw_options&, V, V v) { o.json = v; }},
        {"--gbench-json", [](options& o, raw_options&, V, V v) { o.gbench_json = v; }},
        {"--plot", [](options& o, raw_options&, V n, V v) { o.plot = svg_file(n, v); }},
        {"--require",
         [](options& o, raw_options&, V, V v) { o.required.push_back(read_requirement(v)); }},
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

}  // namespace

bool read_flag(options& o, raw_options& r, std::string_view name)
{
    if (name == "--netns") return r.netns = true;
    if (name == "--first") return o.first = true;
    if (name == "--uniform") return o.uniform = true;
    if (name == "--even-parts") return o.even_parts = true;
    if (name == "--adaptive") return o.adaptive = true;
    return false;
}

option_reader find_option(std::string_view name)
{
    const auto key = short_name(name);
    for (const auto* table : {&sizes_and_counts(), &everything_else()})
        if (const auto found = table->find(key); found != table->end()) return found->second;
    return nullptr;
}

}  // namespace papilio::perf
