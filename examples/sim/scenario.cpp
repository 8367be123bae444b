#include "scenario.hpp"

#include <papilio/base/random.hpp>
#include <papilio/base/units.hpp>
#include <papilio/sim/draw_schedule.hpp>

#include <algorithm>
#include <array>

namespace papilio::example::simulator {

namespace {

using namespace std::chrono_literals;

class drawer {
public:
    explicit drawer(std::uint64_t seed) : draw_(hash(seed, std::uint64_t{0x51b}))
    {
        s_.seed = seed;
    }

    scenario run()
    {
        s_.peers = one_in(4) ? 2 + below(11) : 3 + below(4);
        draw_data();
        draw_roles();
        draw_network();
        draw_course();
        draw_faults();
        if (s_.roles.empty() && one_in(2)) draw_other_call();
        draw_flips();
        return std::move(s_);
    }

private:
    int below(int n) { return static_cast<int>(draw_.below(static_cast<std::uint64_t>(n))); }
    bool one_in(int n) { return below(n) == 0; }

    void draw_data()
    {
        s_.elements = 1 + draw_.below(std::uint64_t{1} << below(16));
        s_.codec = one_in(2) ? coding::identity : one_in(2) ? coding::int8b : coding::f16b;
        s_.integers = s_.codec == coding::identity && one_in(4);
        s_.weighted = !s_.integers && one_in(2);
        s_.in_place = one_in(2);
        s_.salvage = one_in(2);
        s_.uniform = s_.salvage && one_in(4);
        for (int rank = 0; rank < s_.peers; ++rank)
            s_.weights.push_back(one_in(12) ? 0 : 1 + below(5));
    }

    /// Mostly nobody is special. There is somebody who contributes, and somebody who reduces.
    void draw_roles()
    {
        if (!one_in(4)) return;
        constexpr std::array special{role::client, role::auxiliary, role::client, role::observer};
        s_.roles.assign(static_cast<std::size_t>(s_.peers), role::full);
        for (auto& r : s_.roles)
            if (one_in(3)) r = special[draw_.below(special.size())];
        s_.roles[draw_.below(s_.roles.size())] = role::full;
        s_.auxiliaries_receive = one_in(2);
    }

    void draw_course()
    {
        if (s_.roles.empty() && one_in(3)) s_.radix = factors();
        if (one_in(2)) s_.in_flight = 1 + draw_.below(4);
        s_.timeout = one_in(4) ? 1s : 4s;
        for (int rank = 0; rank < s_.peers; ++rank)
            s_.begins.push_back(one_in(2) ? 0us : std::chrono::microseconds(draw_.below(20'000)));
        if (one_in(2)) return;
        s_.chunk_bytes = std::size_t{512} << below(6);
        while (s_.chunk_bytes < 4 * s_.elements && moving() > s_.timeout / 4) s_.chunk_bytes *= 2;
    }

    /// About how long the call takes, if nothing befalls it.
    duration moving() const
    {
        const auto slots = static_cast<int>(s_.in_flight == 0 ? 4 : s_.in_flight);
        const auto bytes = 4 * s_.elements;
        const auto parts = s_.radix.empty() ? s_.weights.size() : at(s_.radix[0]);
        const auto columns =
            s_.chunk_bytes == 0 ? 1 : static_cast<int>(bytes / parts / s_.chunk_bytes) + 1;
        const auto stages = std::max(static_cast<int>(s_.radix.size()), 1);
        const auto once = 2 * stages * (s_.latency + s_.jitter);
        const auto waits = once * (columns / slots + 1);
        return waits + std::chrono::microseconds(bytes * s_.weights.size() / 5);
    }

    /// Factors of the number of peers in a random order.
    std::vector<int> factors()
    {
        std::vector<int> radix;
        int rest = s_.peers;
        for (int f = 2; rest > 1; ++f)
            for (; rest % f == 0; rest /= f)
                radix.insert(radix.begin() + below(static_cast<int>(radix.size()) + 1), f);
        return radix;
    }

    void draw_network()
    {
        s_.latency = one_in(4) ? duration(40us) : duration(1ms * (1 + below(20)));
        s_.jitter = one_in(4) ? duration{} : s_.latency * (1 + below(3));
        s_.heartbeat = one_in(2) ? duration(1s) : duration{};
        s_.early_limit = std::size_t{64} << (10 + below(7));
        const auto rate = [this] { return 1e6 * static_cast<double>(1 + below(20)); };
        const sim::access all{rate(), rate()};
        for (int rank = 0; rank < s_.peers; ++rank)
            s_.each.push_back(one_in(3) ? sim::access{rate(), rate()} : all);
    }

    void draw_faults()
    {
        const int faults = below(6);
        s_.faults = sim::draw_schedule(draw_, {s_.peers, faults, span(), s_.timeout / 2});
    }

    /// In which faults begin.
    duration span() const { return 10ms + s_.latency + s_.jitter + moving(); }

    /// Any but an all_reduce. Nobody has a role in them.
    void draw_other_call()
    {
        constexpr std::array others{collective::all_gather, collective::reduce_scatter,
                                    collective::broadcast, collective::barrier};
        s_.call = others[draw_.below(others.size())];
        s_.in_place = s_.call == collective::broadcast;
        if (s_.call == collective::reduce_scatter) return;
        s_.weighted = false;
        s_.root = below(s_.peers);
        for (int rank = 0; rank < s_.peers; ++rank)
            s_.weights[at(rank)] = s_.call != collective::broadcast || rank == s_.root ? 1 : 0;
        if (s_.call != collective::barrier) return;
        s_.elements = 0;
        s_.codec = coding::identity;
    }

    /// By another chance, so that they change nothing else.
    void draw_flips()
    {
        random draw(hash(s_.seed, std::uint64_t{0xf11b}));
        if (draw.below(8) != 0 || !compares_results(s_)) return;
        const int flips = 1 + static_cast<int>(draw.below(2));
        const sim::fault_range range{
            .peers = s_.peers, .faults = 0, .span = span(), .flips = flips};
        const auto drawn = sim::draw_schedule(draw, range);
        s_.faults.insert(s_.faults.end(), drawn.begin(), drawn.end());
    }

    random draw_;
    scenario s_;
};

std::string list_of(const std::vector<int>& numbers)
{
    std::string text;
    for (const int n : numbers) text.append(text.empty() ? "" : ",").append(std::to_string(n));
    return text;
}

std::string what_is_computed(const scenario& s)
{
    constexpr std::array calls{"all_reduce", "all_gather", "reduce_scatter", "broadcast",
                               "barrier"};
    std::string text = calls[static_cast<std::size_t>(s.call)];
    text += " of " + std::to_string(s.elements) + (s.integers ? " integers" : " floats");
    const bool reduces = s.call == collective::all_reduce || s.call == collective::reduce_scatter;
    if (reduces) text += s.weighted ? ", weighted mean" : ", sum";
    if (s.call == collective::broadcast) text += " from peer " + std::to_string(s.root);
    constexpr std::array codecs{"", ", int8b", ", f16b"};
    text += codecs[static_cast<std::size_t>(s.codec)];
    if (s.call == collective::all_reduce) text += s.in_place ? ", in place" : ", out of place";
    if (s.salvage) text += s.uniform ? ", salvage, uniform" : ", salvage";
    if (!s.radix.empty()) text += ", stages " + list_of(s.radix);
    if (s.chunk_bytes > 0) text += ", chunks of " + human_bytes(s.chunk_bytes);
    if (s.in_flight > 0) text += ", " + std::to_string(s.in_flight) + " in flight";
    return text;
}

std::string who_takes_part(const scenario& s)
{
    std::vector<int> weights, found;
    for (int rank = 0; rank < s.peers; ++rank)
        weights.push_back(static_cast<int>(s.weight_of(rank)));
    std::string text = std::to_string(s.peers) + " peers of weights " + list_of(weights);
    const auto tell = [&](role r, const char* name) {
        found.clear();
        for (int rank = 0; rank < s.peers; ++rank)
            if (s.role_of(rank) == r) found.push_back(rank);
        if (!found.empty()) text += std::string("; ") + name + ": " + list_of(found);
    };
    tell(role::client, "clients");
    tell(role::auxiliary, s.auxiliaries_receive ? "auxiliaries that receive" : "auxiliaries");
    tell(role::observer, "observers");
    return text;
}

}  // namespace

scenario draw_scenario(std::uint64_t seed)
{
    return drawer(seed).run();
}

bool compares_results(const scenario& s)
{
    const bool fast = 2 * s.latency <= std::chrono::microseconds(100);
    const bool declines =
        std::ranges::count(s.roles, role::auxiliary) > 0 && !s.auxiliaries_receive;
    return !declines && (s.codec != coding::identity || !fast);
}

std::vector<double> input_of(const scenario& s, int rank)
{
    random draw(hash(s.seed, static_cast<std::uint64_t>(rank), std::uint64_t{7}));
    const bool exact = s.codec == coding::identity && !s.weighted;
    std::vector<double> all(s.elements);
    for (auto& x : all)
        x = exact ? static_cast<double>(draw.below(2001)) - 1000.0
                  : static_cast<double>(static_cast<float>(draw.normal()));
    return all;
}

part part_of(const scenario& s, int rank)
{
    return partition(s.elements, at(s.peers))[at(rank)];
}

std::string to_string(const scenario& s)
{
    return what_is_computed(s) + "\n" + who_takes_part(s) + "; " + human_duration(s.latency) +
           " and up to " + human_duration(s.jitter) + " one way, timeout " +
           human_duration(s.timeout);
}

}  // namespace papilio::example::simulator
