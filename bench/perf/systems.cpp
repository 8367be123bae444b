#include "perf/systems.hpp"

#include "perf/listener.hpp"
#include "perf/papilio/backend.hpp"
#include "perf/papilio/call.hpp"
#include "perf/peer.hpp"
#include "perf/rivals/mpi.hpp"
#include "perf/rivals/one_mapping.hpp"
#ifdef PAPILIO_PERF_GLOO
#include "perf/rivals/gloo.hpp"
#endif
#include "perf/report_skipped.hpp"

#include <algorithm>
#include <cstdio>

namespace papilio::perf {

namespace {

constexpr double patience = 120;  // seconds in which all ranks of a cluster must start

/// The forms of papilio that the command line asks for.
std::vector<papilio_form> forms(const options& o, const link_table& links)
{
    std::vector<papilio_form> all;
    for (const auto& codec : o.codecs)
        for (const auto failed : o.on_errors)
            for (const bool allocates : o.allocates)
                for (const bool communicator : o.communicators)
                    for (const auto& radix : o.radices)
                        all.push_back({codec, failed, allocates, communicator, radix, links});
    return all;
}

std::string name_of(const papilio_form& f)
{
    std::string name = f.codec == "identity" ? "papilio" : "papilio-" + f.codec;
    if (f.failed == on_error::undefined) name += "-undefined";
    if (f.allocates) name += "-allocated";
    if (f.communicator) name += "-communicator";
    for (std::size_t k = 0; k < f.radix.size(); ++k)
        name += (k == 0 ? '-' : 'x') + std::to_string(f.radix[k]);
    return name;
}

join_function join_of(const papilio_form& f, const options& o)
{
    return [f, o](const place& p) {
        return f.communicator ? join_communicator(f, o, p) : join_mesh(f, o, p);
    };
}

std::unique_ptr<worker_group> forked(const options& o, const private_network* net,
                                     const join_function& join)
{
    return std::make_unique<forked_workers>(o.peers, [&](int rank, channel& line) {
        place p;
        p.rank = rank;
        p.peers = o.peers;
        p.address = net ? private_network::address(rank) : "127.0.0.1";
        if (net) net->enter(rank);
        return serve(line, p, join);
    });
}

std::unique_ptr<worker_group> papilio_workers(const options& o, const papilio_form& f,
                                              const private_network* net)
{
    if (o.transport == "sim") return make_simulated_workers(f, o);
    if (o.transport != "inproc") return forked(o, net, join_of(f, o));
    const auto join = join_inproc(f, o);
    return std::make_unique<threaded_workers>(o.peers, [&](int rank, channel& line) {
        place p;
        p.rank = rank;
        p.peers = o.peers;
        p.shares_process = true;
        return serve(line, p, join);
    });
}

/// The worker groups of a cluster. Their peers are the processes of all ranks, this rank included.
std::vector<std::unique_ptr<worker_group>> cluster_workers(const options& o, std::size_t count)
{
    listener doors(o.launched_as->meeting.port);
    auto lines = doors.accept_all(static_cast<int>(count), o.peers, patience, [] {});
    std::vector<std::unique_ptr<worker_group>> all;
    for (std::size_t c = 0; c < count; ++c) {
        std::vector<channel> own;
        for (int rank = 0; rank < o.peers; ++rank)
            own.push_back(std::move(
                lines[c * static_cast<std::size_t>(o.peers) + static_cast<std::size_t>(rank)]));
        all.push_back(std::make_unique<remote_workers>(std::move(own)));
    }
    return all;
}

bool wants(const options& o, const char* rival)
{
    return std::ranges::find(o.rivals, rival) != o.rivals.end();
}

void add_one_mapping(const options& o, const private_network* net,
                     std::vector<measured_system>& all)
{
    if (net) return report_skipped("one-mapping, which crosses no network");
    for (auto& [name, join] : one_mapping_systems()) {
        measured_system e;
        e.name = name;
        e.rival = true;
        e.peers = forked(o, net, join);
        all.push_back(std::move(e));
    }
}

void add_rivals(const options& o, const private_network* net, std::vector<measured_system>& all)
{
    if (o.where == network::cluster && !o.rivals.empty())
        return report_skipped("rivals, which run on one machine only");
    if (wants(o, "gloo")) {
#ifdef PAPILIO_PERF_GLOO
        for (auto& [name, join] : gloo_systems()) {
            measured_system e;
            e.name = name;
            e.rival = true;
            e.peers = forked(o, net, join);
            all.push_back(std::move(e));
        }
#else
        report_skipped(
            "gloo, which was not found when this program was built (Debian: libgloo-dev)");
#endif
    }
    if (wants(o, "one-mapping")) add_one_mapping(o, net, all);
    for (const char* mpi : {"openmpi", "mpich"})
        if (wants(o, mpi)) add_mpi(mpi, o, net, all);
}

}  // namespace

void report_skipped(const std::string& what)
{
    std::fprintf(stderr, "papilio-perf: SKIPPED: %s\n", what.c_str());
    std::printf("# SKIPPED: %s\n", what.c_str());
}

std::vector<measured_system> make_systems(const options& o, const link_table& links,
                                          const private_network* net)
{
    std::vector<measured_system> all;
    const auto all_forms = forms(o, links);
    std::vector<std::unique_ptr<worker_group>> groups;
    if (o.where == network::cluster) groups = cluster_workers(o, all_forms.size());
    const auto bits = facts_of(o.codecs.front()).bits_per_element;
    for (std::size_t i = 0; i < all_forms.size(); ++i) {
        const auto& f = all_forms[i];
        measured_system e;
        e.name = name_of(f);
        e.lossy = facts_of(f.codec).coarseness > 0;
        e.as_many_bytes = f.codec == "as-many-bytes";
        e.bits_per_element = e.as_many_bytes ? bits : facts_of(f.codec).bits_per_element;
        e.predict = [f, o](const job& j) { return predicted_seconds(f, o, j); };
        e.peers = groups.empty() ? papilio_workers(o, f, net) : std::move(groups[i]);
        all.push_back(std::move(e));
    }
    add_rivals(o, net, all);
    return all;
}

bool serve_cluster(const options& o, const link_table& links)
{
    const auto& s = *o.launched_as;
    const auto all_forms = forms(o, links);
    std::vector<std::function<bool()>> lives;
    for (std::size_t i = 0; i < all_forms.size(); ++i)
        lives.push_back([&, i] {
            auto line = dial(s.meeting.host, s.meeting.port, patience);
            line.send(message_kind::hello, std::to_string(s.rank) + ' ' + std::to_string(i));
            place p;
            p.rank = s.rank;
            p.peers = s.size;
            p.address = own_address(line);
            return serve(line, p, join_of(all_forms[i], o));
        });
    return run_children(lives);
}

}  // namespace papilio::perf
