#include "all_reduce/options.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace papilio::bench {

namespace {

constexpr const char* help = R"(Measures papilio's all-reduce over TCP, as processes on loopback.

  papilio-bench-all-reduce [--peers 4] [--bytes 64MiB[,1MiB...]] [--in-place] [--no-rivals]

Sums 32-bit floats. Where gloo was found at build time, its algorithms take part, with the same data
in the same processes, in turns. Every result is checked. A time is that of the slowest peer; of
all iterations of all repeats the median counts; processor time is that of all peers and their
threads together. Of gloo's, ring-chunked and halving-doubling work in place only: their data is
copied outside the measured time.

  --repeats 5 --warm-up 2 --iterations 5
                      each repeat runs every system in turn
  --congestion NAME   run in a network namespace of its own, where every connection uses this
                      congestion control; only root may
  --links 400,200,100,50
                      Mbit/s, by rank, of a link for each process; 40/400 is up and down. Runs in
                      network namespaces with token buckets; only root may. papilio's parts are
                      then as its links allow; the bound is printed, and what comes close to it
  --at-least 0.8      fail unless papilio reaches this fraction of the best rival's throughput
  --memory            measure memory instead of time: what the peak exceeds that of a 1 KiB call
                      by, beyond the caller's own buffers. Fails where papilio takes more than it
                      promises
  --tiny              a quick check that everything works

How papilio goes about it:
  --codec identity    or as_f16, as_bf16, int8b; rivals always send 32-bit floats
  --connections 1     per pair of peers
  --threads 0         that encode and reduce; 0: the one that does everything else
  --chunk 256KiB --in-flight 16
                      by default chosen by size
)";

[[noreturn]] void refuse(const std::string& why)
{
    std::fprintf(stderr, "papilio-bench-all-reduce: %s; see --help\n", why.c_str());
    std::exit(2);
}

template <class T>
T number(std::string_view name, std::string_view text, T least)
{
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least)
        refuse(std::string(name) + " takes a number of at least " + std::to_string(least));
    return value;
}

std::size_t size(std::string_view name, std::string_view text)
{
    static constexpr std::pair<std::string_view, int> units[] = {
        {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"B", 0}};
    int shift = 0;
    for (const auto& [unit, bits] : units) {
        if (!text.ends_with(unit)) continue;
        shift = bits;
        text.remove_suffix(unit.size());
        break;
    }
    const auto count = number<std::size_t>(name, text, 1);
    if (count > std::size_t{1} << (40 - shift)) refuse(std::string(name) + " is at most 1024 GiB");
    return count << shift;
}

std::vector<std::size_t> payloads(std::string_view name, std::string_view text)
{
    std::vector<std::size_t> all;
    for (;;) {
        const auto comma = text.find(',');
        all.push_back(size(name, text.substr(0, comma)));
        if (all.back() % sizeof(float) != 0) refuse(std::string(name) + " takes multiples of 4");
        if (comma == std::string_view::npos) return all;
        text.remove_prefix(comma + 1);
    }
}

std::vector<access_rate> links(std::string_view name, std::string_view text)
{
    std::vector<access_rate> all;
    for (;;) {
        const auto comma = text.find(',');
        const auto one = text.substr(0, comma);
        const auto slash = one.find('/');
        const auto up = number(name, one.substr(0, slash), 1.0);
        all.push_back({up, slash == one.npos ? up : number(name, one.substr(slash + 1), 1.0)});
        if (comma == std::string_view::npos) return all;
        text.remove_prefix(comma + 1);
    }
}

std::string codec(std::string_view name)
{
    for (const auto known : {"identity", "as_f16", "as_bf16", "int8b"})
        if (name == known) return known;
    refuse("there is no codec " + std::string(name));
}

void read_value(options& o, std::string_view name, std::string_view value)
{
    if (name == "--peers")
        o.peers = number(name, value, 2);
    else if (name == "--bytes")
        o.bytes = payloads(name, value);
    else if (name == "--repeats")
        o.repeats = number(name, value, 1);
    else if (name == "--warm-up")
        o.warm_up = number(name, value, 0);
    else if (name == "--iterations")
        o.iterations = number(name, value, 1);
    else if (name == "--links")
        o.links = links(name, value);
    else if (name == "--congestion")
        o.congestion = value;
    else if (name == "--at-least")
        o.at_least = number(name, value, 0.0);
    else if (name == "--codec")
        o.codec = codec(value);
    else if (name == "--connections")
        o.connections = number(name, value, 1);
    else if (name == "--threads")
        o.threads = number(name, value, 0);
    else if (name == "--chunk")
        o.chunk_bytes = size(name, value);
    else if (name == "--in-flight")
        o.in_flight = number<std::size_t>(name, value, 1);
    else
        refuse("there is no option " + std::string(name));
}

bool read_flag(options& o, std::string_view name)
{
    if (name == "--in-place") return o.in_place = true;
    if (name == "--memory") return o.memory = true;
    if (name == "--tiny") return o.tiny = true;
    if (name == "--no-rivals") return !(o.rivals = false);
    return false;
}

}  // namespace

options read_options(int argc, char** argv)
{
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--help") {
            std::fputs(help, stdout);
            std::exit(0);
        }
        if (read_flag(o, argument)) continue;
        const auto equals = argument.find('=');
        const auto name = argument.substr(0, equals);
        if (equals != std::string_view::npos)
            read_value(o, name, argument.substr(equals + 1));
        else if (i + 1 < argc)
            read_value(o, name, argv[++i]);
        else
            refuse("there is no option " + std::string(name) + " without a value");
    }
    if (o.links.size() == 1) o.links.resize(static_cast<std::size_t>(o.peers), o.links.front());
    if (!o.links.empty() && o.links.size() != static_cast<std::size_t>(o.peers))
        refuse("--links names the link of each of --peers, or one for all");
    if (!o.links.empty() && o.memory) refuse("--memory is measured on loopback, without --links");
    if (o.tiny) {
        o.bytes = {4, 1 << 10, 1'000'012};
        o.repeats = o.warm_up = o.iterations = 1;
    }
    return o;
}

}  // namespace papilio::bench
