#include "run.hpp"

#include <papilio/async/sleep.hpp>
#include <papilio/codec/f16b.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/op/weighted_mean.hpp>
#include <papilio/sim/play.hpp>
#include <papilio/sim/world.hpp>

#include <bit>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace papilio::example::simulator {

namespace {

sim::weather weather_of(const scenario& s)
{
    return {.seed = s.seed,
            .peers = s.peers,
            .latency = s.latency,
            .jitter = s.jitter,
            .each = s.each,
            .heartbeat = s.heartbeat,
            .early_limit = s.early_limit};
}

call_options options_of(const scenario& s, int rank)
{
    call_options o;
    o.timeout = s.timeout;
    o.weight = s.weights[at(rank)];
    o.salvage = s.salvage;
    o.uniform = s.uniform;
    o.roles = s.roles;
    o.auxiliaries_receive = s.auxiliaries_receive;
    o.radix = s.radix;
    o.chunk_bytes = s.chunk_bytes;
    o.in_flight = s.in_flight;
    return o;
}

template <class T>
words bits_of(const std::vector<T>& values)
{
    words all;
    all.reserve(values.size());
    for (const T x : values) all.push_back(std::bit_cast<std::uint32_t>(x));
    return all;
}

std::string ranks_of(const std::vector<contributor>& from)
{
    std::string text;
    for (const auto& c : from) text.append(text.empty() ? "{" : ",").append(std::to_string(c.rank));
    return text.empty() ? "{}" : text + "}";
}

/// "succeeds with {0,1,2}", or the different sets that its ranges are made of, and the view.
std::string told(const report& r)
{
    std::string text = "succeeds with";
    std::set<std::string> sets;
    for (const auto& range : r.made_of) sets.insert(ranks_of(range.from));
    for (const auto& s : sets) text.append(" ").append(s);
    if (r.view == 0) return text;
    text += " in view " + std::to_string(r.view);
    for (std::size_t i = 0; i < r.left.size(); ++i)
        text.append(i == 0 ? " without " : ",").append(std::to_string(r.left[i].rank));
    return text;
}

/// A run of one kind of call.
template <class T, class Op, class Codec>
class run_of {
public:
    run_of(const scenario& s, bool keep_messages) : s_(s), world_(weather_of(s))
    {
        if (keep_messages) world_.record(record_.messages);
        record_.of = s;
        record_.ends.resize(at(s.peers));
        for (int rank = 0; rank < s.peers; ++rank) {
            const auto all = input_of(s, rank);
            const auto own = part_of(s, rank);
            const bool gathers = s.call == collective::all_gather;
            const auto given =
                std::span(all).subspan(gathers ? own.begin : 0, gathers ? own.size : all.size());
            in_.emplace_back(given.begin(), given.end());
            const bool scatters = s.call == collective::reduce_scatter;
            out_.emplace_back(s.in_place ? 0 : scatters ? own.size : s.elements, T{-1});
            record_.ends[at(rank)].given = bits_of(in_.back());
        }
    }

    run_record run()
    {
        for (int rank = 0; rank < s_.peers; ++rank) {
            peers_.emplace_back(be(rank));
            peers_.back()->start(world_.process(rank));
        }
        const sim::fault_events tell{[this](int rank) { lose(rank); },
                                     [this](const sim::fault& f, bool begins) { note(f, begins); }};
        task<> faults = sim::play(world_, s_.faults, tell);
        faults.start(world_);
        constexpr int most_events = 20'000'000;  // far more than any run takes
        int events = 0;
        while (events < most_events && world_.run_one()) ++events;
        record_.quiet = events < most_events;
        judge();
        return std::move(record_);
    }

private:
    task<> be(int rank)
    {
        const auto begins = s_.begins[at(rank)];
        co_await sleep_for(begins);
        tell({rank}, "peer " + std::to_string(rank) + " calls");
        auto& end = record_.ends[at(rank)];
        end.began = world_.now().time_since_epoch();
        try {
            task<report> call = make_call(rank);
            end.success = co_await std::move(call);
        } catch (const call_error& failure) {
            end.failure = failure;
        } catch (const std::exception& other) {
            end.other = other.what();
        }
        end.ended = world_.now().time_since_epoch();
        tell({rank}, "peer " + std::to_string(rank) + " " + how(end));
    }

    task<report> make_call(int rank)
    {
        auto& net = world_.peer(rank);
        auto& in = in_[at(rank)];
        auto& out = out_[at(rank)];
        const auto o = options_of(s_, rank);
        switch (s_.call) {
        case collective::all_reduce: break;
        case collective::all_gather: return all_gather(net, in, out, Codec{}, o);
        case collective::reduce_scatter: return reduce_scatter(net, in, out, Op{}, Codec{}, o);
        case collective::broadcast: return broadcast(net, in, s_.root, Codec{}, o);
        case collective::barrier: return barrier(net, o);
        }
        if (s_.in_place) return all_reduce_in_place(net, in, Op{}, Codec{}, o);
        return all_reduce(net, in, out, Op{}, Codec{}, o);
    }

    /// What a peer has been given lies where it is in the whole.
    words output_of(int rank) const
    {
        auto out = bits_of(s_.in_place ? in_[at(rank)] : out_[at(rank)]);
        if (s_.call != collective::reduce_scatter) return out;
        out.insert(out.begin(), part_of(s_, rank).begin, 0);
        out.resize(s_.elements);
        return out;
    }

    static std::string how(const peer_end& end)
    {
        if (end.success) return told(*end.success);
        return "fails: " + (end.failure ? std::string(end.failure->what()) : end.other);
    }

    void lose(int rank)
    {
        record_.ends[at(rank)].died = true;
        peers_[at(rank)].reset();
    }

    void note(const sim::fault& f, bool begins)
    {
        auto text = sim::to_string({f});
        text.erase(0, text.find(' ') + 1);
        tell(f.peers, (begins ? "" : "over: ") + text);
        if (!begins && f.what == sim::verb::stop)
            record_.ends[at(f.peers[0])].went_on = world_.now().time_since_epoch();
    }

    void tell(std::vector<int> peers, std::string what)
    {
        record_.timeline.push_back(
            {world_.now().time_since_epoch(), std::move(peers), std::move(what)});
    }

    void judge()
    {
        for (int rank = 0; rank < s_.peers; ++rank) {
            auto& end = record_.ends[at(rank)];
            end.stands = world_.is_stopped(rank);
            end.in = bits_of(in_[at(rank)]);
            end.out = output_of(rank);
            end.most_early_bytes = world_.peer(rank).most_early_bytes();
        }
        record_.flipped = world_.flipped();
        record_.trace = world_.trace();
    }

    const scenario& s_;
    run_record record_;
    std::vector<std::vector<T>> in_, out_;
    sim::world world_;
    std::vector<std::optional<task<>>> peers_;  // by rank
};

template <class Codec>
run_record run_with(const scenario& s, bool keep_messages)
{
    if (s.weighted) return run_of<float, weighted_mean, Codec>(s, keep_messages).run();
    return run_of<float, sum, Codec>(s, keep_messages).run();
}

}  // namespace

run_record run(const scenario& s, bool keep_messages)
{
    if (s.integers) return run_of<std::int32_t, sum, identity>(s, keep_messages).run();
    switch (s.codec) {
    case coding::identity: return run_with<identity>(s, keep_messages);
    case coding::int8b: return run_with<int8b>(s, keep_messages);
    case coding::f16b: return run_with<f16b>(s, keep_messages);
    }
    return {};
}

}  // namespace papilio::example::simulator
