// papilio's all-reduce over TCP beside gloo's, as processes on loopback. See --help.

#include "all_reduce/contestant.hpp"
#include "all_reduce/network.hpp"
#include "all_reduce/options.hpp"
#include "all_reduce/processes.hpp"

#include <papilio/base/random.hpp>
#include <papilio/base/units.hpp>
#include <papilio/plan/lower_bound.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

namespace papilio::bench {

namespace {

// ---- The data: integers, so that sums are exact in whatever order they are taken.

float input(int rank, std::size_t i)
{
    const auto mixed = static_cast<std::uint32_t>(i) * 2654435761u +
                       static_cast<std::uint32_t>(rank) * 0x9e3779b9u;
    return static_cast<float>(static_cast<std::int32_t>(mixed >> 24) - 128);
}

void fill(int rank, std::span<float> values)
{
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = input(rank, i);
}

void verify(std::span<const float> result, int peers, double tolerance)
{
    for (std::size_t i = 0; i < result.size(); ++i) {
        float expected = 0;
        for (int rank = 0; rank < peers; ++rank) expected += input(rank, i);
        if (!(std::abs(result[i] - expected) <= tolerance))
            throw std::runtime_error("element " + std::to_string(i) + " is " +
                                     std::to_string(result[i]) + " and not " +
                                     std::to_string(expected));
    }
}

std::uint64_t digest(std::span<const float> result)
{
    std::uint64_t so_far = result.size();
    for (const float value : result) so_far = hash(so_far, std::bit_cast<std::uint32_t>(value));
    return so_far;
}

// ---- What one process does.

/// What one iteration takes of one process.
struct cost {
    double seconds = 0;
    double processor = 0;  ///< seconds, of all threads
};

struct buffers {
    explicit buffers(std::size_t largest) : in(largest), out(largest) {}
    std::vector<float> in;
    std::vector<float> out;
};

/// The processor time that all threads of this process have taken so far.
double processor_seconds()
{
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Sums `elements` again and again; calls `note(i, cost)` for each iteration that counts, and
/// returns a digest of the last result.
template <class Note>
std::uint64_t repeat_sum(contestant& c, const place& p, const options& o, buffers& memory,
                         std::size_t elements, Note note)
{
    using clock = std::chrono::steady_clock;
    const auto in = std::span(memory.in).first(o.in_place ? 0 : elements);
    const auto out = std::span(memory.out).first(elements);
    fill(p.rank, in);
    c.prepare(in, out);
    for (int i = -o.warm_up; i < o.iterations; ++i) {
        if (o.in_place || c.in_place_only())
            fill(p.rank, out);
        else
            std::ranges::fill(out, std::numeric_limits<float>::quiet_NaN());
        p.meeting.meet();
        const auto spent = processor_seconds();
        const auto begin = clock::now();
        c.sum();
        const std::chrono::duration<double> took = clock::now() - begin;
        p.meeting.meet();  // threads in the background may still be sending
        if (i >= 0) note(i, cost{took.count(), processor_seconds() - spent});
    }
    verify(out, p.peers, c.tolerance());
    return digest(out);
}

/// A folder that goes away with everything in it.
class temporary_folder {
public:
    temporary_folder()
    {
        auto name = std::filesystem::temp_directory_path().string() + "/papilio-bench-XXXXXX";
        if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a folder like " + name);
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

// ---- Times.

/// What all processes note, indexed by size, system, repeat, iteration and rank.
class notes {
public:
    notes(const options& o, std::size_t systems)
        : options_(o),
          systems_(systems),
          digests_(o.bytes.size() * systems * peers()),
          costs_(digests_.size() * static_cast<std::size_t>(o.repeats * o.iterations))
    {
    }

    std::uint64_t& digest(std::size_t size, std::size_t system, std::size_t rank) const
    {
        return digests_[(size * systems_ + system) * peers() + rank];
    }
    cost& of(std::size_t size, std::size_t system, int run, std::size_t rank) const
    {
        const auto runs = static_cast<std::size_t>(options_.repeats * options_.iterations);
        const auto row = (size * systems_ + system) * runs + static_cast<std::size_t>(run);
        return costs_[row * peers() + rank];
    }

    /// What each iteration took: the time of the slowest peer, and the processor time of all.
    /// Empty if the system did not take part.
    std::vector<cost> iterations(std::size_t size, std::size_t system) const
    {
        std::vector<cost> all;
        for (int run = 0; run < options_.repeats * options_.iterations; ++run) {
            cost whole;
            for (std::size_t rank = 0; rank < peers(); ++rank) {
                whole.seconds = std::max(whole.seconds, of(size, system, run, rank).seconds);
                whole.processor += of(size, system, run, rank).processor;
            }
            if (whole.seconds > 0) all.push_back(whole);
        }
        return all;
    }

    std::size_t peers() const { return static_cast<std::size_t>(options_.peers); }

private:
    const options& options_;
    std::size_t systems_;
    shared_array<std::uint64_t> digests_;
    shared_array<cost> costs_;
};

void measure_as(const place& p, const options& o, const std::vector<system_under_test>& all,
                const notes& n)
{
    std::vector<std::unique_ptr<contestant>> members;
    for (const auto& system : all) members.push_back(system.join(p, o));
    buffers memory(std::ranges::max(o.bytes) / sizeof(float));
    for (std::size_t size = 0; size < o.bytes.size(); ++size)
        for (int repeat = 0; repeat < o.repeats; ++repeat)
            for (std::size_t turn = 0; turn < all.size(); ++turn) {
                const auto s = (turn + static_cast<std::size_t>(repeat)) % all.size();
                const auto rank = static_cast<std::size_t>(p.rank);
                const auto elements = o.bytes[size] / sizeof(float);
                if (!members[s]->takes(elements)) continue;
                try {
                    n.digest(size, s, rank) = repeat_sum(
                        *members[s], p, o, memory, elements,
                        [&](int i, cost c) { n.of(size, s, repeat * o.iterations + i, rank) = c; });
                } catch (const std::exception& failure) {
                    throw std::runtime_error(all[s].name + ": " + failure.what());
                }
            }
    p.meeting.meet();  // nobody leaves while others still listen
}

/// Milliseconds in order.
std::vector<double> sorted_ms(const std::vector<cost>& costs, double cost::*which)
{
    std::vector<double> all;
    for (const auto& c : costs) all.push_back(c.*which * 1e3);
    std::ranges::sort(all);
    return all;
}

double median(const std::vector<double>& sorted)
{
    return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

/// What is printed of one system at one size.
struct row {
    const system_under_test* system = nullptr;
    double ms = 0;
    double least_ms = 0;
    double most_ms = 0;
    double processor_ms = 0;
    std::uint64_t digest = 0;
};

std::vector<row> rows_of(const std::vector<system_under_test>& all, const notes& n,
                         std::size_t size)
{
    std::vector<row> rows;
    for (std::size_t s = 0; s < all.size(); ++s) {
        const auto costs = n.iterations(size, s);
        if (costs.empty()) continue;
        const auto times = sorted_ms(costs, &cost::seconds);
        const auto processor = sorted_ms(costs, &cost::processor);
        rows.push_back({&all[s], median(times), times.front(), times.back(), median(processor),
                        n.digest(size, s, 0)});
        for (std::size_t rank = 1; rank < n.peers(); ++rank)
            if (n.digest(size, s, rank) != n.digest(size, s, 0))
                throw std::runtime_error(all[s].name + ": peers hold different results");
    }
    return rows;
}

/// Prints the rows of one size. Returns papilio's throughput as a fraction of the best rival's, or
/// 0 if there is none.
double print(const std::vector<row>& rows, int peers, std::size_t bytes)
{
    const row* best = nullptr;
    for (const auto& r : rows)
        if (r.system->rival && (!best || r.ms < best->ms)) best = &r;
    for (const auto& r : rows) {
        const auto speed = static_cast<double>(bytes) / r.ms / 1e6;
        std::printf("| %s | %d | %s | %.3f | %.3f to %.3f | %.1f | %.3f | %.3f |",
                    r.system->name.c_str(), peers, human_bytes(bytes).c_str(), r.ms, r.least_ms,
                    r.most_ms, r.processor_ms, speed, speed * 2 * (peers - 1) / peers);
        if (best)
            std::printf(" %.2f%s |", best->ms / r.ms, best == &r ? " (best rival)" : "");
        else
            std::printf(" - |");
        std::printf(" %016llx |\n", static_cast<unsigned long long>(r.digest));
    }
    return best ? best->ms / rows.front().ms : 0;
}

/// Beside each time, the shortest that these links allow; a full frame of 1514 bytes carries 1448.
void print_bound(const options& o, const std::vector<row>& rows, std::size_t bytes)
{
    link_table links;
    for (const auto& link : o.links) {
        const double payload = 1e6 / 8 * 1448 / 1514;
        links.access.push_back({link.up * payload, link.down * payload});
    }
    const double ms = lower_bound_seconds(links, bytes) * 1e3;
    std::printf("\nNo all-reduce of %s over these links takes less than %.1f ms.",
                human_bytes(bytes).c_str(), ms);
    for (const auto& r : rows)
        std::printf("%s %s reaches %.3f", &r == rows.data() ? "" : ",", r.system->name.c_str(),
                    ms / r.ms);
    std::printf(" of that.\n");
}

bool measure_time(const options& o, const std::vector<system_under_test>& all)
{
    const notes n(o, all.size());
    const temporary_folder folder;
    meeting_point meeting(o.peers);
    shared_array<std::uint16_t> ports(n.peers());
    std::optional<shaped_links> links;
    if (!o.links.empty()) links.emplace(o.links, o.congestion);
    run_processes(o.peers, [&](int rank) {
        if (links) links->enter(rank);
        measure_as({rank, o.peers, folder.path(), links.has_value(), meeting, ports}, o, all, n);
    });
    links.reset();

    std::puts(
        "| system | peers | bytes | median ms | spread ms | processor ms | algbw GB/s"
        " | busbw GB/s | of best rival | digest |\n|---|---|---|---|---|---|---|---|---|---|");
    bool good = true;
    for (std::size_t size = 0; size < o.bytes.size(); ++size) {
        const auto rows = rows_of(all, n, size);
        const auto reached = print(rows, o.peers, o.bytes[size]);
        if (o.at_least > 0 && reached < o.at_least) good = false;
    }
    if (!o.links.empty())
        for (std::size_t size = 0; size < o.bytes.size(); ++size)
            print_bound(o, rows_of(all, n, size), o.bytes[size]);
    if (!good) std::printf("\nFAILED: papilio stays below %.2f of the best rival.\n", o.at_least);
    return good;
}

// ---- Memory.

/// The most memory that this process ever held.
double high_water_mark()
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word != "VmHWM:") continue;
        double kib = 0;
        status >> kib;
        return kib * 1024;
    }
    throw std::runtime_error("/proc/self/status does not tell VmHWM");
}

/// The high-water mark of each of fresh processes that sum `bytes`, less their buffers.
std::vector<double> peaks(const options& o, const system_under_test& system, std::size_t bytes)
{
    const temporary_folder folder;
    meeting_point meeting(o.peers);
    shared_array<std::uint16_t> ports(static_cast<std::size_t>(o.peers));
    shared_array<double> peak(static_cast<std::size_t>(o.peers));
    run_processes(o.peers, [&](int rank) {
        const place p{rank, o.peers, folder.path(), false, meeting, ports};
        const auto member = system.join(p, o);
        const auto elements = bytes / sizeof(float);
        buffers memory(0);
        memory.out.resize(elements);
        if (!o.in_place) memory.in.resize(elements);
        repeat_sum(*member, p, o, memory, elements, [](int, cost) {});
        const auto own = static_cast<double>(bytes) * (o.in_place ? 1 : 2);
        peak[static_cast<std::size_t>(rank)] = high_water_mark() - own;
        meeting.meet();
    });
    std::vector<double> all;
    for (std::size_t rank = 0; rank < peak.size(); ++rank) all.push_back(peak[rank]);
    return all;
}

/// Prints one row. Returns false where papilio takes more than it promises.
bool measure_memory_of(const options& o, const system_under_test& system, std::size_t bytes)
{
    const auto small = peaks(o, system, 1 << 10);
    const auto large = peaks(o, system, bytes);
    double most = 0;
    for (std::size_t rank = 0; rank < large.size(); ++rank)
        most = std::max(most, large[rank] - small[rank]);
    const auto part = most / static_cast<double>(bytes);
    const auto promised = o.in_place ? 1.25 : 0.25;
    std::printf("| %s | %d | %s | %s | %s | %.3f |", system.name.c_str(), o.peers,
                human_bytes(bytes).c_str(), o.in_place ? "in place" : "out of place",
                human_bytes(static_cast<std::uint64_t>(most)).c_str(), part);
    if (system.rival)
        std::printf(" - |\n");
    else
        std::printf(" %.2f: %s |\n", promised, part <= promised ? "kept" : "BROKEN");
    std::fflush(stdout);
    return system.rival || part <= promised;
}

bool measure_memory(options o, const std::vector<system_under_test>& all)
{
    std::printf(
        "| system | peers | bytes | result | peak beyond the buffers | per payload |"
        " promised |\n|---|---|---|---|---|---|---|\n");
    bool good = true;
    for (const auto bytes : o.bytes)
        for (const bool in_place : {false, true})
            for (const auto& system : all) {
                o.in_place = in_place;
                good = measure_memory_of(o, system, bytes) && good;
            }
    return good;
}

std::string rate_text(double mbit)
{
    std::string text = std::to_string(mbit);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string network_of(const options& o)
{
    if (o.links.empty()) return "loopback";
    std::string text = "links of";
    for (const auto& link : o.links)
        text += (text.back() == 'f' ? " " : ", ") + rate_text(link.up) + '/' + rate_text(link.down);
    return text + " Mbit/s up/down";
}

int run(const options& o)
{
    if (!o.congestion.empty() && o.links.empty()) enter_network_with(o.congestion);
    const auto all = systems(o);
    const bool own_control = !o.links.empty() && !o.congestion.empty();
    std::printf("%d processes on %s; %s; %s; congestion control %s; codec %s\n", o.peers,
                network_of(o).c_str(), machine().c_str(), o.in_place ? "in place" : "out of place",
                own_control ? o.congestion.c_str() : default_congestion().c_str(), o.codec.c_str());
    if (o.rivals && all.size() == 1)
        std::printf("No rivals: gloo was not found when this program was built.\n");
    std::printf("\n");
    return (o.memory ? measure_memory(o, all) : measure_time(o, all)) ? 0 : 1;
}

}  // namespace

std::vector<system_under_test> systems(const options& o)
{
    std::vector<system_under_test> all{{"papilio", false, join_papilio}};
#ifdef PAPILIO_BENCH_GLOO
    if (o.rivals)
        for (auto& rival : gloo_systems()) all.push_back(std::move(rival));
#endif
    return all;
}

}  // namespace papilio::bench

int main(int argc, char** argv)
{
    const auto options = papilio::bench::read_options(argc, argv);
    try {
        return papilio::bench::run(options);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "papilio-bench-all-reduce: %s\n", failure.what());
        return 1;
    }
}
