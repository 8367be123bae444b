// Calls that lose a peer which is only silent: who has heard of it later than the others does not
// hold them up.

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::bytes;
using papilio::duration;
using papilio::mutable_bytes;
using papilio::task;
using papilio::time_point;

namespace {

constexpr int stopped = 2;

/// A simulated transport with heartbeats: those of the peer that stops end at `last`.
class hearing_heartbeats {
public:
    hearing_heartbeats(papilio::sim::transport& net, papilio::sim::world& world, duration last)
        : net_(net), world_(world), last_(last)
    {
    }

    int rank() const { return net_.rank(); }
    int size() const { return net_.size(); }
    task<> send(int peer, papilio::tag t, bytes message) { return net_.send(peer, t, message); }
    task<std::size_t> recv(int peer, papilio::tag t, mutable_bytes into)
    {
        return net_.recv(peer, t, into);
    }
    bool post(int peer, papilio::tag t, bytes message) { return net_.post(peer, t, message); }
    papilio::call_numbers& calls() { return net_.calls(); }
    void begin_call(papilio::tag t) { net_.begin_call(t); }
    void discard_call(papilio::tag t) { net_.discard_call(t); }
    bool watch_call(papilio::tag t, papilio::gate& heard) { return net_.watch_call(t, heard); }
    void unwatch_call(const papilio::gate& heard) noexcept { net_.unwatch_call(heard); }
    void leave_answer(papilio::tag t, std::vector<std::byte> answer)
    {
        net_.leave_answer(t, std::move(answer));
    }
    duration round_trip(int peer) { return net_.round_trip(peer); }
    std::optional<duration> heartbeat() const { return 1s; }
    time_point last_heard(int peer) const
    {
        const auto now = world_.now();
        return peer == stopped ? std::min(now, time_point{} + last_) : now;
    }

private:
    papilio::sim::transport& net_;
    papilio::sim::world& world_;
    duration last_;
};

}  // namespace

TEST_CASE("a peer that has stopped is given up as soon as the others find it silent, too")
{
    papilio::sim::world world{{.peers = 4}};
    const auto life = [&](papilio::sim::transport& of) -> task<> {
        hearing_heartbeats net(of, world, of.rank() == 0 ? duration(20ms) : duration(500ms));
        std::vector<float> data(50'000, 1.f);
        try {
            co_await papilio::all_reduce_in_place(net, data, papilio::sum{}, papilio::identity{},
                                                  {.timeout = 60s, .salvage = true});
            if (of.rank() == stopped) co_return;
            CHECK(world.now() > time_point{} + 2500ms);
            CHECK(world.now() < time_point{} + 3200ms);
        } catch (const papilio::call_error& failure) {
            INFO(failure.what());
            CHECK(of.rank() == stopped);
        }
    };
    const auto stop = [&]() -> task<> {
        co_await papilio::sleep_for(20ms);
        world.silence(stopped);
    };
    const auto all = [](std::vector<task<>> work) -> task<> {
        co_await papilio::when_all(std::move(work));
    };
    std::vector<task<>> work;
    for (int rank = 0; rank < world.size(); ++rank) work.push_back(life(world.peer(rank)));
    work.push_back(stop());
    papilio::sync_wait(world, all(std::move(work)));
}
