#include "perf/lineup.hpp"

#include "perf/papilio/call.hpp"
#include "perf/papilio/system.hpp"
#include "perf/peer.hpp"
#ifdef PAPILIO_PERF_GLOO
#include "perf/rivals/gloo.hpp"
#endif
#include "perf/skip.hpp"

#include <algorithm>
#include <cstdio>

namespace papilio::perf {

namespace {

std::unique_ptr<crew> forked(const options& o, const private_network* net,
                             const join_function& join)
{
    return std::make_unique<forked_crew>(o.peers, [&](int rank, channel& line) {
        place p;
        p.rank = rank;
        p.peers = o.peers;
        p.address = net ? private_network::address(rank) : "127.0.0.1";
        if (net) net->enter(rank);
        return serve(line, p, join);
    });
}

std::unique_ptr<crew> papilio_crew(const options& o, const papilio_form& f,
                                   const private_network* net)
{
    if (o.transport == "sim") return simulated_crew(f, o);
    if (o.transport == "inproc") {
        const auto join = join_inproc(f, o);
        return std::make_unique<threaded_crew>(o.peers, [&](int rank, channel& line) {
            place p;
            p.rank = rank;
            p.peers = o.peers;
            p.shares_process = true;
            return serve(line, p, join);
        });
    }
    const auto join = o.transport == "shm" ? join_shm : join_tcp;
    return forked(o, net, [f, o, join](const place& p) { return join(f, o, p); });
}

bool wants(const options& o, const char* rival)
{
    return std::ranges::find(o.rivals, rival) != o.rivals.end();
}

}  // namespace

void skip(const std::string& what)
{
    std::fprintf(stderr, "papilio-perf: SKIPPED: %s\n", what.c_str());
    std::printf("# SKIPPED: %s\n", what.c_str());
}

std::vector<entrant> line_up(const options& o, const std::vector<access_rate>& links,
                             const private_network* net)
{
    std::vector<entrant> all;
    const auto bits = facts_of(o.codecs.front()).bits_per_element;
    for (const auto& codec : o.codecs) {
        entrant e;
        e.name = codec == "identity" ? "papilio" : "papilio-" + codec;
        e.as_many_bytes = codec == "as-many-bytes";
        e.bits_per_element = e.as_many_bytes ? bits : facts_of(codec).bits_per_element;
        e.peers = papilio_crew(o, {codec, links}, net);
        all.push_back(std::move(e));
    }
    if (wants(o, "gloo")) {
#ifdef PAPILIO_PERF_GLOO
        for (auto& [name, join] : gloo_systems()) {
            entrant e;
            e.name = name;
            e.rival = true;
            e.peers = forked(o, net, join);
            all.push_back(std::move(e));
        }
#else
        skip("gloo, which was not found when this program was built (Debian: libgloo-dev)");
#endif
    }
    return all;
}

}  // namespace papilio::perf
