// A bit of a message changes behind whatever the transport checks, at its receiver.

#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/wire/tag.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

constexpr int receiver = 1;

/// Of the messages of one kind, of view 0 or of the later ones.
struct flipped_kind {
    pa::message_kind kind;
    bool later = false;
};

/// A peer of a simulated network, whose memory changes a bit of one message of a kind.
class flipping {
public:
    flipping(pa::sim::transport& net, flipped_kind kind, int which) : net_(net), kind_(kind)
    {
        if (net.rank() == receiver) left_ = which;
    }

    int rank() const { return net_.rank(); }
    int size() const { return net_.size(); }
    pa::task<> send(int peer, pa::tag t, pa::bytes message) { return net_.send(peer, t, message); }
    bool post(int peer, pa::tag t, pa::bytes message) { return net_.post(peer, t, message); }
    pa::call_numbers& calls() { return net_.calls(); }
    void begin_call(pa::tag t) { net_.begin_call(t); }
    void discard_call(pa::tag t) { net_.discard_call(t); }
    bool watch_call(pa::tag t, pa::gate& heard) { return net_.watch_call(t, heard); }
    void unwatch_call(const pa::gate& heard) { net_.unwatch_call(heard); }
    void leave_answer(pa::tag t, std::vector<std::byte> a) { net_.leave_answer(t, std::move(a)); }
    pa::duration round_trip(int peer) { return net_.round_trip(peer); }

    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes into)
    {
        const auto size = co_await net_.recv(peer, t, into);
        const auto fields = pa::fields_of(t);
        const bool counts = fields.kind == kind_.kind && (fields.view > 0) == kind_.later;
        if (counts && size > 0 && left_-- == 0) {
            into[size - 1] ^= std::byte{1};
            flipped_ = true;
        }
        co_return size;
    }

    bool flipped() const { return flipped_; }

private:
    pa::sim::transport& net_;
    flipped_kind kind_;
    int left_ = -1;
    bool flipped_ = false;
};

struct ending {
    std::vector<float> data;
    std::optional<pa::call_error> failed;
};

using call = std::function<pa::task<pa::report>(flipping&, std::vector<float>&)>;

/// When a peer dies, and nothing more of it comes.
struct death {
    int rank = -1;
    pa::duration at{};
};

pa::task<> make_call(flipping& net, std::vector<float>& data, const call& make)
{
    co_await make(net, data);
}

pa::task<> wait_for(pa::duration d)
{
    co_await pa::sleep_for(d);
}

/// How a call ends for `n` peers; nothing where the receiver receives no such message.
std::optional<std::vector<ending>> ends(int n, std::size_t count, flipped_kind kind, int which,
                                        const call& make, death dies = {})
{
    pa::sim::world world({.peers = n, .latency = 1ms});
    std::vector<ending> all(static_cast<std::size_t>(n));
    bool flipped = false;
    world.run([&](pa::sim::transport& net) -> pa::task<> {
        flipping mine(net, kind, which);
        auto& to = all[static_cast<std::size_t>(net.rank())];
        for (std::size_t i = 0; i < count; ++i)
            to.data.push_back(static_cast<float>(i % 100) * static_cast<float>(net.rank() + 1));
        try {
            if (net.rank() == dies.rank) {
                co_await pa::when_any(make_call(mine, to.data, make), wait_for(dies.at));
                world.kill(net.rank());
            } else {
                co_await make_call(mine, to.data, make);
            }
        } catch (const pa::call_error& failure) {
            to.failed = failure;
        }
        flipped |= mine.flipped();
    });
    if (!flipped) return std::nullopt;
    return all;
}

/// Whichever message is changed, all fail, name the receiver, and have their data.
void check_named(int n, std::size_t count, flipped_kind kind, const call& make,
                 int named = receiver, death dies = {})
{
    int which = 0;
    for (;; ++which) {
        const auto all = ends(n, count, kind, which, make, dies);
        if (!all) break;
        for (int rank = 0; rank < n; ++rank) {
            if (rank == dies.rank) continue;
            const auto& end = (*all)[static_cast<std::size_t>(rank)];
            INFO("message " << which << ", peer " << rank);
            REQUIRE(end.failed);
            CHECK(end.failed->code() == pa::errc::corrupted);
            CHECK(end.failed->culprit() == named);
            CHECK(end.data[1] == static_cast<float>(rank + 1));
        }
    }
    CHECK(which > 0);
}

template <class Codec>
call reduced(Codec codec, pa::call_options o = {})
{
    return [=](flipping& net, std::vector<float>& data) {
        return pa::all_reduce_in_place(net, data, pa::mean{}, codec, o);
    };
}

constexpr flipped_kind result{pa::message_kind::result};
constexpr flipped_kind result_of_later_view{pa::message_kind::result, true};
constexpr flipped_kind contribution{pa::message_kind::contribution};

}  // namespace

TEST_CASE("a bit that changes in one peer's result fails the call and names that peer")
{
    const pa::call_options chunks{.chunk_bytes = 4096};
    check_named(3, 10'000, result, reduced(pa::identity{}, chunks));
    check_named(4, 10'000, result, reduced(pa::int8b{}, chunks));
}

TEST_CASE("between two peers a bit that changes fails the call, and nobody is named")
{
    check_named(2, 10'000, result, reduced(pa::int8b{}, {.chunk_bytes = 4096}), -1);
}

TEST_CASE("a bit that changes in little data fails the call and names who has reduced it")
{
    check_named(3, 300, contribution, reduced(pa::identity{}));
}

TEST_CASE("a bit that changes in a call with salvage fails it, too")
{
    check_named(4, 10'000, result, reduced(pa::int8b{}, {.salvage = true, .chunk_bytes = 4096}));
}

TEST_CASE("a bit that changes in a later view fails the call and names that peer")
{
    const pa::call_options salvage{.salvage = true, .chunk_bytes = 4096};
    const auto passed_on = reduced(pa::identity{}, salvage);
    check_named(5, 60'000, result_of_later_view, passed_on, receiver, {.rank = 4, .at = 15ms});
    const auto encoded = reduced(pa::int8b{}, salvage);
    check_named(5, 400'000, result_of_later_view, encoded, receiver, {.rank = 4, .at = 15ms});
}

TEST_CASE("a bit that changes in a call of several stages leaves no two different results")
{
    const pa::call_options staged{.radix = {2, 3}, .chunk_bytes = 4096};
    const auto make = reduced(pa::identity{}, staged);
    int corrupted = 0;
    for (int which = 0;; ++which) {
        const auto all = ends(6, 10'000, result, which, make);
        if (!all) break;
        for (const auto& end : *all) {
            INFO("message " << which);
            REQUIRE(end.failed);
            const bool noticed = end.failed->code() == pa::errc::corrupted;
            const bool padding = end.failed->code() == pa::errc::bad_message;
            CHECK((noticed || padding));
            corrupted += noticed;
        }
    }
    CHECK(corrupted > 0);
}

TEST_CASE("a bit that changes in what is broadcast fails the call and names who holds it")
{
    const call sent = [](flipping& net, std::vector<float>& data) {
        return pa::broadcast(net, data, 0, pa::call_options{.chunk_bytes = 4096});
    };
    check_named(4, 10'000, result, sent);
}

TEST_CASE("a bit that changes in what is gathered fails the call and names who holds it")
{
    const call gathered = [](flipping& net, std::vector<float>& data) -> pa::task<pa::report> {
        std::vector<float> all(data.size() * static_cast<std::size_t>(net.size()));
        co_return co_await pa::all_gather(net, data, all);
    };
    check_named(3, 10'000, result, gathered);
}
