#include <papilio/collective/engine/view_engine.hpp>

#include <papilio/base/kept_memory.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/engine/undo_log.hpp>
#include <papilio/op/weighted_mean.hpp>

#include <collective/engine/a_view.hpp>
#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>
#include <support/roles.hpp>
#include <support/seeds.hpp>
#include <support/thrown.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <vector>

using namespace papilio;
using namespace std::chrono_literals;
using detail::call_data;
using detail::content;
using test::a_view;
using test::all_full;
using test::at;
using test::noise;
using test::same_bits;
using test::sim_cluster;
using test::vectors;

namespace {

/// Which version each chunk of a peer's output is in.
class keeper final : public detail::chunk_keeper {
public:
    void overwrite(std::size_t part, std::uint32_t column) override
    {
        versions_[{part, column}] = wire::no_view;
        ++overwritten_;
    }
    void hold(std::size_t part, std::uint32_t column, std::uint8_t version) override
    {
        versions_[{part, column}] = version;
        ++held_;
    }

    /// How many chunks have been written, each once.
    std::size_t written() const { return held_ == versions_.size() ? overwritten_ : 0; }

    /// The version of a chunk that has been written.
    int version(std::size_t part, std::uint32_t column) const
    {
        const auto found = versions_.find({part, column});
        return found == versions_.end() ? -1 : found->second;
    }

private:
    std::map<std::pair<std::size_t, std::uint32_t>, std::uint8_t> versions_;
    std::size_t overwritten_ = 0, held_ = 0;
};

/// One member's part in a view.
template <class Net>
task<> moved(Net& net, const a_view& v, const call_data& data, detail::chunk_keeper& keeps,
             thread_pool* pool = nullptr)
{
    const wire::descriptor described{.call = 7};
    detail::call_status status{.limit = 60s};
    status.result.peers.resize(v.plan.roles.size());
    detail::peer_io io(any_transport(net), described, v.plan.roles, v.plan.stages, status);
    detail::view_engine engine(io, v.plan, data, pool);
    co_await engine.move(v.call, v.settled, keeps);
}

template <class Codec>
std::unique_ptr<call_data> data_of(std::span<const float> in, std::span<float> out, Codec codec)
{
    return detail::make_call_data<float>(in, out, weighted_mean{}, codec);
}

constexpr std::size_t count = 5000;

template <class Codec>
constexpr std::size_t granule_of = detail::common_granule<Codec>;

/// All peers of a view, each with elements of its own.
template <class Codec>
struct peers_of {
    explicit peers_of(const a_view& in_view, Codec by = {}, std::size_t elements = count)
        : v(in_view),
          codec(by),
          in(noise(v.call.extent.peers, elements)),
          out(noise(2 * v.call.extent.peers, elements)),
          keeps(in.size())
    {
        out.erase(out.begin(), out.begin() + v.call.extent.peers);
        before = out;
    }

    /// Moves the data between the members.
    template <class Cluster>
    void move(Cluster& cluster, thread_pool* pool = nullptr)
    {
        cluster.run([&](auto& net) -> task<> {
            const auto me = at(net.rank());
            if (!v.settled.members.contains(net.rank())) co_return;
            const auto data = data_of(in[me], out[me], codec);
            co_await moved(net, v, *data, keeps[me], pool);
        });
    }
    void move(sim::weather w = {.jitter = 30ms})
    {
        sim_cluster cluster(v.call.extent.peers, w);
        move(cluster);
    }

    /// What all members are to hold of what is made anew: every contribution has travelled, and so
    /// has the result unless it is `for_owners` alone.
    std::vector<float> made(bool for_owners = false) const
    {
        std::vector<float> result(in[0].size(), 0.f);
        const auto whole = data_of(in[0], result, codec);
        const auto& from = v.settled.versions.back().contributors;
        for (std::size_t owner = 0; owner < v.plan.parts.size(); ++owner)
            for (std::size_t c = 0; c < v.plan.columns; ++c)
                reduce(*whole, v.plan.chunk(static_cast<int>(owner), c), from, for_owners);
        return result;
    }

    /// Whether a chunk that a peer holds is the same, bit for bit, as in `whole`.
    bool holds(int peer, int part, std::size_t column, const std::vector<float>& whole) const
    {
        const auto where = v.plan.chunk(part, column);
        const auto cut = [&](const std::vector<float>& all) {
            return std::vector(all.begin() + static_cast<std::ptrdiff_t>(where.begin),
                               all.begin() + static_cast<std::ptrdiff_t>(where.end()));
        };
        return same_bits(cut(out[at(peer)]), cut(whole));
    }

    a_view v;
    Codec codec;
    vectors in, out, before;
    std::vector<keeper> keeps;

private:
    void reduce(const call_data& whole, part where, const rank_set& contributors,
                bool for_owners) const
    {
        std::vector<std::vector<std::byte>> sent;
        std::vector<detail::contribution> from;
        std::vector<double> weights;
        for (const int peer : contributors) {
            auto& message = sent.emplace_back(whole.bound(content::own, where.size));
            const auto mine = std::as_bytes(std::span(in[at(peer)]))
                                  .subspan(where.begin * sizeof(float), where.size * sizeof(float));
            message.resize(whole.encode(content::own, where.begin, mine, message));
            from.push_back({peer, message});
            weights.push_back(v.settled.weights[at(peer)]);
        }
        detail::pooled_buffer scratch;
        std::vector<std::byte> encoded;
        whole.reduce({.where = where, .from = from, .weights = weights}, scratch,
                     whole.kind().verbatim || for_owners ? nullptr : &encoded);
    }
};

/// Four full peers, of which the last is lost, with everything to be made anew.
template <class Codec>
a_view all_anew_after_a_loss(Codec)
{
    a_view v(all_full(4), count, 3, granule_of<Codec>);
    v.lose({3});
    v.renew_all();
    return v;
}

}  // namespace

TEMPLATE_TEST_CASE("what is made anew has the same bits at all members, whoever made it", "",
                   identity, int8b)
{
    peers_of<TestType> all(all_anew_after_a_loss(TestType{}));
    all.move();
    const auto expected = all.made();
    for (const int peer : {0, 1, 2}) {
        CHECK(same_bits(all.out[at(peer)], expected));
        CHECK(all.keeps[at(peer)].written() == 12);
        CHECK(all.keeps[at(peer)].version(3, 2) == 3);
    }
    CHECK(same_bits(all.out[3], all.before[3]));
}

TEMPLATE_TEST_CASE("what a member has is given to others as it lies there, whatever the codec", "",
                   identity, int8b)
{
    a_view v(all_full(3), count, 3, granule_of<TestType>);
    v.keep(0, 0, 1, 1, {0, 2});
    v.keep(0, 1, 1, 2, {1});
    v.keep(0, 2, 1, 0, {});
    peers_of<TestType> all(v);
    all.move();
    CHECK(all.holds(0, 0, 0, all.before[1]));
    CHECK(all.holds(2, 0, 0, all.before[1]));
    CHECK(all.holds(1, 0, 1, all.before[2]));
    CHECK(all.holds(0, 0, 1, all.before[0]));
    CHECK(all.keeps[0].written() == 1);
    CHECK(all.keeps[0].version(0, 0) == 0);
    CHECK(all.keeps[1].version(0, 1) == 0);
    CHECK(same_bits(all.out[1], [&] {
        auto expected = all.before[1];
        const auto where = v.plan.chunk(0, 1);
        std::copy_n(all.before[2].begin() + static_cast<std::ptrdiff_t>(where.begin), where.size,
                    expected.begin() + static_cast<std::ptrdiff_t>(where.begin));
        return expected;
    }()));
}

TEST_CASE("chunks of one part come in several versions")
{
    a_view v(all_full(5), count, 4, granule_of<int8b>);
    v.lose({4});
    v.keep(4, 0, 1, 3, {0, 1, 2});
    v.renew(4, 1, 2);
    v.keep(4, 3, 1, 0, {2});
    v.renew(0, 0, 4);
    peers_of<int8b> all(v);
    all.move();
    const auto expected = all.made();
    for (const int peer : {0, 1, 2}) {
        CHECK(all.holds(peer, 4, 0, all.before[3]));
        CHECK(all.holds(peer, 4, 1, expected));
        CHECK(all.holds(peer, 4, 2, expected));
        CHECK(all.holds(peer, 0, 3, expected));
        CHECK(all.keeps[at(peer)].version(4, 0) == 0);
        CHECK(all.keeps[at(peer)].version(4, 2) == 3);
    }
    CHECK(all.holds(2, 4, 3, all.before[0]));
    CHECK(all.keeps[1].version(4, 3) == -1);
}

TEST_CASE("who weighs nothing needs no elements and is sent the result")
{
    auto v = all_anew_after_a_loss(int8b{});
    v.settled.weights[1] = 0;
    v.settled.versions.back().contributors = {0, 2};
    peers_of<int8b> all(v);
    all.in[1].clear();
    all.move();
    const auto expected = all.made();
    for (const int peer : {0, 1, 2}) CHECK(same_bits(all.out[at(peer)], expected));
}

TEMPLATE_TEST_CASE("a reduce_scatter's members write their own parts alone", "", identity, int8b)
{
    auto v = a_view(all_full(4), count, 3, granule_of<TestType>);
    v.lose({1});
    v.scatter();
    v.renew_all();
    peers_of<TestType> all(v);
    sim_cluster cluster(4, {.jitter = 30ms});
    cluster.run([&](auto& net) -> task<> {
        const auto me = at(net.rank());
        if (net.rank() == 1) co_return;
        const auto mine = v.plan.parts[me];
        const auto data =
            data_of(all.in[me], std::span(all.out[me]).subspan(mine.begin, mine.size), TestType{});
        data->set_out_begin(mine.begin);
        co_await moved(net, v, *data, all.keeps[me]);
    });
    const auto expected = all.made(true);
    for (const int peer : {0, 2, 3}) {
        for (const std::size_t c : {0u, 1u, 2u}) CHECK(all.holds(peer, peer, c, expected));
        CHECK(all.keeps[at(peer)].written() == 3);
        CHECK(all.holds(peer, 1, 0, all.before[at(peer)]));
    }
}

TEST_CASE("an auxiliary makes a lost peer's chunks that it is not to have itself")
{
    a_view v({role::client, role::full, role::auxiliary, role::full}, count, 4, granule_of<int8b>);
    v.lose({3});
    v.renew_all();
    peers_of<int8b> all(v);
    all.in[2].clear();
    all.move();
    const auto expected = all.made();
    for (const int peer : {0, 1}) CHECK(same_bits(all.out[at(peer)], expected));
    CHECK(all.holds(2, 2, 0, expected));
    CHECK(all.holds(2, 3, 1, expected));
    CHECK(all.keeps[2].version(3, 1) == 3);
    CHECK(all.holds(2, 1, 0, all.before[2]));
}

TEMPLATE_TEST_CASE("in place what the caller gave counts, not what has overwritten it", "",
                   identity, int8b)
{
    const auto v = all_anew_after_a_loss(TestType{});
    peers_of<TestType> all(v);
    const auto given = all.in;
    sim_cluster cluster(4, {.jitter = 30ms});
    cluster.run([&](auto& net) -> task<> {
        const auto me = at(net.rank());
        if (net.rank() == 3) co_return;
        detail::kept_memory memory;
        auto& mine = all.out[me] = given[me];
        const auto data = data_of(mine, mine, TestType{});
        detail::undo_log log(memory, data->out());
        data->set_undo_log(&log);
        for (const int part : {0, net.rank(), 3})
            std::ranges::fill(data->overwrite(v.plan.chunk(part, 1)), std::byte{1});
        co_await moved(net, v, *data, all.keeps[me]);
        all.in[me] = mine;
    });
    all.out = std::exchange(all.in, given);
    const auto expected = all.made();
    for (const int peer : {0, 1, 2}) CHECK(same_bits(all.out[at(peer)], expected));
}

TEST_CASE("chunks without elements are held at once")
{
    a_view v(all_full(3), 7, 3, 2);
    v.renew_all();
    peers_of<identity> all(v, {}, 7);
    all.move();
    for (const int peer : {0, 1, 2}) {
        CHECK(same_bits(all.out[at(peer)], all.made()));
        for (const std::uint32_t c : {0u, 1u, 2u}) CHECK(all.keeps[at(peer)].version(2, c) == 3);
    }
}

TEST_CASE("much data moves in few slots though little may come early")
{
    const auto elements = 600'000u;
    a_view v(all_full(6), elements, 40, granule_of<int8b>);
    v.lose({5});
    for (const int part : {0, 1, 2})
        v.keep(part, 0, 40, part, rank_set{0, 1, 2, 3, 4} - rank_set{part});
    for (const int part : {3, 4, 5}) v.renew(part, 0, 40);
    for (const std::size_t slots : {1u, 3u}) {
        v.plan.slots = slots;
        peers_of<int8b> all(v, {}, elements);
        all.move({.seed = slots, .jitter = 100ms, .early_limit = 64 << 10});
        const auto expected = all.made();
        for (const int peer : {0, 1, 2, 3, 4}) {
            CHECK(all.holds(peer, 1, 39, all.before[1]));
            CHECK(all.holds(peer, 5, 39, expected));
            CHECK(all.keeps[at(peer)].version(4, 20) == 3);
        }
    }
}

namespace {

/// A transport that counts the contributions to each peer of which the result has not come.
struct counts_contributions {
    sim::transport& net;
    std::map<int, std::size_t> under_way = {};
    std::size_t most = 0;

    int rank() const { return net.rank(); }
    int size() const { return net.size(); }
    task<> send(int peer, tag t, bytes message)
    {
        if (fields_of(t).kind == message_kind::contribution)
            most = std::max(most, ++under_way[peer]);
        co_await net.send(peer, t, message);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        const auto received = co_await net.recv(peer, t, into);
        if (fields_of(t).kind == message_kind::result) --under_way[peer];
        co_return received;
    }
};

}  // namespace

TEST_CASE("a peer has no more contributions under way to another than slots")
{
    a_view v(all_full(3), count, 10);
    v.renew_all();
    v.plan.slots = 3;
    peers_of<identity> all(v);
    sim_cluster cluster(3, {.latency = 50ms});
    cluster.run([&](auto& net) -> task<> {
        const auto me = at(net.rank());
        const auto data = data_of(all.in[me], all.out[me], identity{});
        counts_contributions counted{net};
        co_await moved(counted, v, *data, all.keeps[me]);
        CHECK(counted.most == 3);
    });
}

TEST_CASE("threads of a pool reduce and encode the same bits")
{
    peers_of<int8b> all(all_anew_after_a_loss(int8b{}));
    thread_pool pool(2);
    test::inproc_threads_cluster cluster(4);
    all.move(cluster, &pool);
    for (const int peer : {0, 1, 2}) CHECK(same_bits(all.out[at(peer)], all.made()));
}

namespace {

/// Throws dice.
class dice {
public:
    explicit dice(int seed) : random_(static_cast<std::uint64_t>(seed)) {}
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_.below(n)); }

private:
    papilio::random random_;
};

std::vector<role> any_roles(dice& d)
{
    std::vector<role> all{role::full};
    for (auto more = 2 + d.below(4); more > 0; --more)
        all.push_back(d.below(2) ? role::full : d.below(2) ? role::client : role::auxiliary);
    return all;
}

/// Has any member give a chunk to any others that are to have it.
void keep_somewhere(a_view& v, dice& d, int part, std::uint32_t column)
{
    const auto& members = v.settled.members;
    auto source = members.begin();
    for (auto skip = d.below(static_cast<std::size_t>(members.size())); skip > 0; --skip) ++source;
    rank_set lacking;
    for (const int peer : v.call.needed_by[at(part)] & members)
        if (peer != *source && d.below(3)) lacking.insert(peer);
    v.keep(part, column, 1, *source, lacking);
}

/// Any roles, members and slots, each chunk kept by somebody or made anew.
a_view any_view(dice& d)
{
    const auto count_of_all = 1 + d.below(6000), columns = 1 + d.below(5);
    a_view v(any_roles(d), count_of_all, columns, granule_of<int8b>);
    v.plan.slots = 1 + d.below(3);
    const auto peers = v.call.extent.peers;
    rank_set lost;
    for (int peer = 1; peer < peers; ++peer)
        if (d.below(4) == 0) lost.insert(peer);
    v.lose(lost);
    v.settled.versions.back().contributors.erase(static_cast<int>(1 + d.below(6)));
    for (int part = 0; part < peers; ++part)
        for (std::uint32_t c = 0; c < v.call.extent.columns; ++c)
            if (d.below(2))
                v.renew(part, c, 1);
            else
                keep_somewhere(v, d, part, c);
    return v;
}

/// What a peer is to hold of a run in the end.
const std::vector<float>& wanted(const peers_of<int8b>& all, const wire::proposed_run& run,
                                 int peer, const std::vector<float>& made)
{
    if (run.source < 0) return made;
    return all.before[at(run.lacking.contains(peer) ? run.source : peer)];
}

}  // namespace

TEST_CASE("whatever is settled all members end with what they are to have")
{
    const auto range = test::seeds(200);
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(test::again(seed, "whatever is settled all members end with what they are to have"));
        dice d(seed);
        const auto v = any_view(d);
        peers_of<int8b> all(v, {}, v.plan.parts.back().end());
        all.move({.seed = static_cast<std::uint64_t>(seed), .jitter = 100ms});
        const auto made = all.made();
        bool right = true;
        for (std::size_t part = 0; part < v.settled.runs.size(); ++part)
            for (const auto& run : v.settled.runs[part])
                for (const int peer : v.call.needed_by[part] & v.settled.members) {
                    const bool came = run.lacking.contains(peer);
                    right &= all.holds(peer, static_cast<int>(part), run.first,
                                       wanted(all, run, peer, made));
                    right &=
                        all.keeps[at(peer)].version(part, run.first) == (came ? run.version : -1);
                }
        REQUIRE(right);
    }
}

namespace {

/// How a view ends at peer 0 while peer 1 sends it bytes of `size` with `kind` about item
/// `number`; nothing if it does not fail.
template <class Codec>
std::optional<call_error> failure(const a_view& v, message_kind kind, std::size_t number,
                                  std::size_t size, Codec codec = {})
{
    peers_of<Codec> all(v, codec);
    return test::call_error_of([&] {
        sim_cluster cluster(v.call.extent.peers);
        cluster.run([&](auto& net) -> task<> {
            const std::vector<std::byte> lie(size, std::byte{0xff});
            const auto data = data_of(all.in[0], all.out[0], codec);
            if (net.rank() == 0) {
                co_await moved(net, v, *data, all.keeps[0]);
            } else if (net.rank() == 1) {
                const auto index = static_cast<std::uint32_t>(number);
                co_await net.send(0, make_tag({.call = 7, .kind = kind, .index = index, .view = 3}),
                                  lie);
            }
        });
    });
}

}  // namespace

TEST_CASE("whoever sends something of another size is blamed")
{
    a_view v(all_full(3), 900, 1);
    v.keep(1, 0, 1, 1, {0});
    v.renew(0, 0, 1);
    v.settled.versions.back().contributors = {0, 1};
    const auto short_result = failure<identity>(v, message_kind::result, 1, 1199);
    REQUIRE(short_result);
    CHECK(short_result->code() == errc::bad_message);
    CHECK(short_result->culprit() == 1);
    CHECK(short_result->where() == phase::result);
    const auto long_result = failure<int8b>(v, message_kind::result, 1, 1201);
    REQUIRE(long_result);
    CHECK(long_result->code() == errc::mismatch);
    CHECK(long_result->culprit() == 1);
    const auto short_contribution = failure<identity>(v, message_kind::contribution, 0, 1196);
    REQUIRE(short_contribution);
    CHECK(short_contribution->code() == errc::bad_message);
    CHECK(short_contribution->culprit() == 1);
    CHECK(short_contribution->where() == phase::contribution);
}

TEST_CASE("whoever sends what its codec cannot have made is blamed")
{
    a_view v(all_full(3), 3 * granule_of<int8b>, 1, granule_of<int8b>);
    v.renew(0, 0, 1);
    v.settled.versions.back().contributors = {0, 1};
    const auto contribution = failure<int8b>(v, message_kind::contribution, 0, 7);
    REQUIRE(contribution);
    CHECK(contribution->code() == errc::bad_message);
    CHECK(contribution->culprit() == 1);
    CHECK(contribution->where() == phase::contribution);
    a_view w(all_full(3), 3 * granule_of<int8b>, 1, granule_of<int8b>);
    w.renew(1, 0, 1);
    w.settled.versions.back().contributors = {1, 2};
    const auto result = failure<int8b>(w, message_kind::result, 0, 7);
    REQUIRE(result);
    CHECK(result->code() == errc::bad_message);
    CHECK(result->culprit() == 1);
    CHECK(result->where() == phase::result);
}

TEST_CASE("elements that cannot be encoded are their own peer's fault")
{
    const int writer = GENERATE(0, 1);
    a_view v(all_full(3), count, 1, granule_of<int8b>);
    v.renew(writer, 0, 1);
    v.settled.versions.back().contributors = {0};
    peers_of<int8b> all(v);
    std::ranges::fill(all.in[0], std::numeric_limits<float>::infinity());
    const auto failed = test::call_error_of([&] { all.move(); });
    REQUIRE(failed);
    CHECK(failed->code() == errc::not_finite);
    CHECK(failed->culprit() == 0);
    CHECK(failed->reporter() == 0);
}

TEST_CASE("a coordinator is blamed that wants elements of a peer without any, or of nobody")
{
    auto v = all_anew_after_a_loss(identity{});
    {
        peers_of<identity> all(v);
        all.in[1].clear();
        const auto failed = test::call_error_of([&] { all.move(); });
        REQUIRE(failed);
        CHECK(failed->code() == errc::bad_message);
        CHECK(failed->culprit() == v.call.who.coordinator(3));
    }
    v.settled.versions.back().contributors = {};
    peers_of<identity> all(v);
    const auto failed = test::call_error_of([&] { all.move(); });
    REQUIRE(failed);
    CHECK(failed->code() == errc::no_contribution);
}

namespace {

/// All that a view can have: things kept and made anew, in place.
struct moving_in_place {
    template <class Net>
    task<> operator()(Net& net) const
    {
        a_view v({role::full, role::full, role::auxiliary, role::client}, 12 * granule_of<int8b>, 4,
                 granule_of<int8b>);
        v.keep(0, 0, 4, 0, {1, 3});
        v.renew(1, 0, 4);
        v.renew(2, 0, 4);
        auto mine = noise(4, 12 * granule_of<int8b>)[at(net.rank())];
        const auto given = mine;
        {
            detail::kept_memory memory;
            const auto data = data_of(mine, mine, int8b{});
            detail::undo_log log(memory, data->out());
            data->set_undo_log(&log);
            keeper keeps;
            co_await moved(net, v, *data, keeps);
            if (keeps.written() == 0) throw std::system_error(errc::bad_message);
        }
        if (mine != given) throw std::system_error(errc::bad_message);
    }
};

}  // namespace

TEST_CASE("a view may be dropped after any event")
{
    CHECK(test::drop_at_every_step([] { return sim_cluster(4, {.jitter = 20ms}); },
                                   moving_in_place{}) > 100);
}

TEST_CASE("a view may be dropped while threads work for it")
{
    const auto v = all_anew_after_a_loss(int8b{});
    thread_pool pool(2);
    for (int steps = 0; steps < 60; steps += 3) {
        peers_of<int8b> all(v);
        test::inproc_cluster cluster(3);
        std::vector<std::unique_ptr<call_data>> data;
        std::vector<task<>> members;
        for (const int peer : {0, 1, 2}) {
            data.push_back(data_of(all.in[at(peer)], all.out[at(peer)], int8b{}));
            members.push_back(
                moved(cluster.peer(peer), v, *data.back(), all.keeps[at(peer)], &pool));
            members.back().start(cluster.loop());
        }
        test::run_steps(cluster.loop(), members, steps);
    }
}

TEST_CASE("when a peer is lost all others name it or have all")
{
    const auto judge = [](auto&, std::vector<task<>>& tasks) {
        for (auto& t : tasks) {
            const auto failed = test::call_error_of([&] { t.result(); });
            if (failed) CHECK(failed->culprit() >= 0);
        }
    };
    CHECK(test::lose_at_every_step([] { return sim_cluster(4, {.jitter = 20ms}); }, 1,
                                   moving_in_place{}, judge, 3) > 30);
}
