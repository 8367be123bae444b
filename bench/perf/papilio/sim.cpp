#include "perf/measure.hpp"
#include "perf/papilio/backend.hpp"
#include "perf/papilio/call.hpp"

#include <papilio/sim/world.hpp>

#include <ctime>

namespace papilio::perf {

namespace {

/// A peer without a process of its own. The worker group makes its calls.
class simulated final : public papilio_backend {
public:
    simulated(const papilio_form& f, const options& o, int peers) : papilio_backend(f, o, peers) {}

    call_facts call() override { throw std::logic_error("the worker group calls"); }
    using papilio_backend::facts_from;
    using papilio_backend::start;
};

class simulated_workers final : public worker_group {
public:
    simulated_workers(const papilio_form& f, const options& o)
        : form_(f), options_(o), common_(f, o, 1)
    {
        for (const auto& l : f.links.access) links_.push_back({l.up, l.down});
        for (int rank = 0; rank < o.peers; ++rank)
            peers_.push_back(std::make_unique<simulated>(f, o, o.peers));
    }

    std::optional<measurement> run(const job& j, double patience) override;

private:
    struct peer_state {
        std::vector<std::byte> in, out;
        outcome found;
    };

    void fill_in(const job& j, int rank, peer_state& s) const;
    task<> live(sim::transport& net, job j, peer_state& s);

    papilio_form form_;
    options options_;
    simulated common_;
    std::vector<sim::access> links_;
    std::vector<std::unique_ptr<simulated>> peers_;
};

void simulated_workers::fill_in(const job& j, int rank, peer_state& s) const
{
    const auto in = input_of(j, rank, options_.peers);
    const auto width = size_of(j.type);
    s.out.assign(output_of(j, rank, options_.peers).size * width, std::byte{0xff});
    const bool shared = j.in_place || common_.in_place_only(j);
    auto& input = shared ? s.out : s.in;
    input.resize(in.size * width);
    with_type(j.type, [&]<class T>(std::type_identity<T>) {
        fill(common_.data(), j, rank, options_.peers, in.begin,
             std::span(reinterpret_cast<T*>(input.data()), in.size));
    });
}

/// One call is enough, since a simulated network has no warm state.
task<> simulated_workers::live(sim::transport& net, job j, peer_state& s)
{
    auto& self = *peers_[static_cast<std::size_t>(net.rank())];
    self.prepare(j, j.in_place ? nullptr : s.in.data(), s.out.data());
    const auto begin = co_await now();
    task<report> work = self.start(any_transport(net));
    const report done = co_await work;
    const auto end = co_await now();
    const std::chrono::duration<double> took = end - begin;
    const auto facts = self.facts_from(done);
    s.found.seconds.push_back(took.count());
    s.found.found.measures_wire = true;
    s.found.found.wire_bytes = facts.wire_bytes;
    s.found.found.lost = facts.lost;
}

std::optional<measurement> simulated_workers::run(const job& j, double)
{
    if (!common_.takes(j)) return std::nullopt;
    std::vector<peer_state> states(peers_.size());
    for (int rank = 0; rank < options_.peers; ++rank)
        fill_in(j, rank, states[static_cast<std::size_t>(rank)]);
    const auto latency =
        std::chrono::duration_cast<duration>(std::chrono::duration<double>(options_.rtt_ms / 2e3));
    forget_peak();
    const auto before = memory_in_use().now;
    const auto spent = std::clock();
    {
        sim::world world({.peers = options_.peers, .latency = latency, .each = links_});
        world.run([&](sim::transport& net) {
            return live(net, j, states[static_cast<std::size_t>(net.rank())]);
        });
    }
    std::vector<outcome> all;
    for (auto& s : states) {
        s.found.found.digest = digest(s.out);
        all.push_back(std::move(s.found));
    }
    if (j.check)
        with_type(j.type, [&]<class T>(std::type_identity<T>) {
            const auto own = output_of(j, 0, options_.peers);
            const auto result =
                std::span(reinterpret_cast<const T*>(states[0].out.data()), own.size);
            // Rank 0 is enough, since `combine` finds different bits in other peers.
            check(common_.data(), j, options_.peers, peers_[0]->tolerance(j), own.begin, result,
                  all[0].found);
        });
    job once = j;
    once.iterations = 1;
    auto m = combine(once, all);
    m.processor_seconds = static_cast<double>(std::clock() - spent) / CLOCKS_PER_SEC;
    m.peak_bytes = std::max(0.0, memory_in_use().peak - before) / options_.peers;
    return m;
}

}  // namespace

std::unique_ptr<worker_group> make_simulated_workers(const papilio_form& f, const options& o)
{
    return std::make_unique<simulated_workers>(f, o);
}

}  // namespace papilio::perf
