// What an all-reduce will cost between two sites of four peers with a thin line between them, and
// the cheapest way to do it.

#include <papilio/papilio.hpp>
#include <papilio/plan/choice.hpp>

#include <cstdio>

namespace pa = papilio;

int main()
{
    pa::link_table links;
    for (std::size_t peer = 0; peer < 8; ++peer) {
        links.access.push_back({.up = 1e9, .down = 1e9});  // bytes per second
        links.site.push_back(peer / 4);
    }
    links.between = {{0, 20e6}, {20e6, 0}};
    links.latency_seconds = 0.02;

    const auto best = pa::choose(links, {.bytes = 64 << 20});
    std::fputs(best.reasons.c_str(), stdout);

    // Every peer passes the same to its call.
    pa::call_options options;
    options.radix = best.how.radix;
    options.shares = best.how.shares;
    options.chunk_bytes = best.how.chunk_bytes;
    options.in_flight = best.how.in_flight;
}
