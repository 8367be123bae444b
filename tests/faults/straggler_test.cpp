// A peer whose link slows to a hundredth in mid-call, and what the options of the call make of it.

#include <papilio/base/log.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/weighted_mean.hpp>
#include <papilio/sim/play.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::call_options;
using papilio::duration;
using papilio::on_straggler;
using papilio::task;

namespace {

constexpr int slow_peer = 2;
constexpr double full_rate = 25e6;

/// What befalls the call, and how it is made.
struct straggling {
    int peers = 4;
    std::size_t mib = 16;
    std::optional<duration> at{};  ///< nothing: never
    double share = 0.01;           ///< of its rate, from then on
    bool up = true, down = true;   ///< which of its directions slow down
    std::optional<duration> lasts{};
    call_options options{};
};

struct straggling_end {
    std::set<int> missed;                    ///< by those who are not slow
    duration took{};                         ///< until the last of the others had ended it
    int good = 0;                            ///< how many of all ended it in success
    std::vector<papilio::departure> left{};  ///< as peer 0 has it
};

std::set<int>* missed_by_sound_peers = nullptr;

/// From now on, until `there` ends.
void note_missed(std::set<int>& there)
{
    missed_by_sound_peers = &there;
    papilio::set_log(
        [](const papilio::log_event& event) {
            if (event.what != "peer missed in call") return;
            int rank = -1, peer = -1;
            for (const auto& field : event.fields) {
                if (field.name == "rank") rank = std::stoi(field.value);
                if (field.name == "peer") peer = std::stoi(field.value);
            }
            if (rank != slow_peer) missed_by_sound_peers->insert(peer);
        },
        papilio::log_level::info);
}

/// A call at 200 Mbit/s each.
straggling_end make_call(const straggling& s)
{
    papilio::sim::world world{{.peers = s.peers, .latency = 1ms, .all = {full_rate, full_rate}}};
    straggling_end found;
    note_missed(found.missed);
    const auto live = [&](papilio::sim::transport& net) -> task<> {
        std::vector<float> data(s.mib << 18, 1.f);
        auto options = s.options;
        options.timeout = 100s;
        options.salvage = true;
        try {
            task<papilio::report> call = papilio::all_reduce_in_place(
                net, data, papilio::weighted_mean{}, papilio::identity{}, options);
            auto done = co_await std::move(call);
            ++found.good;
            if (net.rank() == 0) found.left = done.left;
        } catch (const papilio::call_error&) {
            CHECK(net.rank() == slow_peer);
        }
        if (net.rank() != slow_peer)
            found.took = std::max<duration>(found.took, world.now().time_since_epoch());
    };
    const auto slow_down = [&]() -> task<> {
        if (!s.up || !s.down) {
            co_await papilio::sleep_for(*s.at);
            const double slow = s.share * full_rate;
            world.reshape(slow_peer, {s.up ? slow : full_rate, s.down ? slow : full_rate});
            co_return;
        }
        const auto per_kib = std::chrono::duration<double>(1024 / (s.share * full_rate));
        const papilio::sim::fault fault{.at = *s.at,
                                        .what = papilio::sim::verb::slow,
                                        .peers = {slow_peer},
                                        .by = std::chrono::duration_cast<duration>(per_kib),
                                        .lasts = s.lasts.value_or(duration{})};
        const papilio::sim::schedule schedule{fault};
        const papilio::sim::fault_events tell{.died = [](int) {},
                                              .seen = [](const papilio::sim::fault&, bool) {}};
        task<> played = papilio::sim::play(world, schedule, tell);
        co_await std::move(played);
    };
    const auto all = [](std::vector<task<>> work) -> task<> {
        co_await papilio::when_all(std::move(work));
    };
    std::vector<task<>> work;
    for (int rank = 0; rank < s.peers; ++rank) work.push_back(live(world.peer(rank)));
    if (s.at) work.push_back(slow_down());
    papilio::sync_wait(world, all(std::move(work)));
    papilio::set_log(nullptr);
    return found;
}

const std::vector<papilio::departure> gone{{slow_peer, make_error_code(papilio::errc::timed_out)}};

constexpr call_options save{.on_straggler = on_straggler::drop_to_save, .patience = 100ms};

}  // namespace

// While each peer has had few messages of the others it takes longer to tell.
TEST_CASE("a call whose peer slows to a hundredth ends within half its time more, without it")
{
    for (const int peers : {3, 4, 8}) {
        const auto all = make_call({.peers = peers, .options = save});
        CHECK(all.good == peers);
        CHECK(all.left.empty());
        for (const int percent : {10, 30, 50, 70, 90}) {
            CAPTURE(peers, percent);
            const auto slow =
                make_call({.peers = peers, .at = all.took * percent / 100, .options = save});
            REQUIRE(slow.left.size() == 1);
            CHECK(slow.left[0].rank == slow_peer);  // it may have been the first to complain
            CHECK(slow.good == peers - 1);
            const bool begins = percent == 10 || (peers == 8 && percent < 50);
            const int most = begins ? 18 : 15;  // tenths
            CHECK(10 * slow.took < most * all.took);
            CHECK(slow.missed == std::set<int>{slow_peer});
        }
    }
}

TEST_CASE("whichever direction of a link slows down, nobody but its peer is complained about")
{
    for (const auto how : {on_straggler::drop_to_save, on_straggler::drop_overdue}) {
        const bool saves = how == on_straggler::drop_to_save;
        straggling call{.mib = saves ? 64u : 16u, .options = save};
        call.options.on_straggler = how;
        const auto all = make_call(call);
        for (const bool up : {true, false})
            for (const int percent : {30, 90}) {
                INFO((saves ? "to save, " : "overdue, ")
                     << (up ? "up" : "down") << " at " << percent);
                call.at = all.took * percent / 100;
                call.up = up;
                call.down = !up;
                const auto slow = make_call(call);
                CHECK(slow.good >= 3);
                for (const int peer : slow.missed) CHECK(peer == slow_peer);
                if (saves) CHECK(10 * slow.took < 15 * all.took);
            }
    }
}

TEST_CASE("whoever is slow for less than it is worth stays")
{
    for (const int percent : {30, 60}) {
        CAPTURE(percent);
        const auto at = std::chrono::milliseconds(10 * percent);
        call_options patient = save;
        patient.patience = 1s;
        const auto short_of =
            make_call({.at = at, .share = 0.3, .lasts = 100ms, .options = patient});
        CHECK(short_of.left.empty());
        CHECK(short_of.good == 4);
        const auto a_third = make_call({.at = at, .share = 0.7, .options = patient});
        CHECK(a_third.left.empty());
        CHECK(a_third.good == 4);
    }
}

TEST_CASE("a peer of more weight is waited for in proportion")
{
    call_options heavy = save;
    heavy.weight = 1000;
    const auto stays = make_call({.at = 500ms, .share = 0.05, .options = heavy});
    CHECK(stays.left.empty());
    CHECK(stays.good == 4);
    const auto goes = make_call({.at = 500ms, .share = 0.05, .options = save});
    CHECK(goes.left == gone);
}

TEST_CASE("with wait a slow peer is waited for, however slow it becomes")
{
    const call_options wait{.on_straggler = on_straggler::wait};
    const auto slow = make_call({.at = 500ms, .share = 0.04, .options = wait});
    CHECK(slow.left.empty());
    CHECK(slow.good == 4);
    CHECK(slow.took > 8s);
}

TEST_CASE("peers that do not agree on what becomes of stragglers find a mismatch")
{
    papilio::sim::world world{{.peers = 3}};
    int found = 0;
    world.run([&](papilio::sim::transport& net) -> task<> {
        std::vector<float> data(1000, 1.f);
        call_options options = save;
        options.salvage = true;
        options.patience = net.rank() == 1 ? 1s : 2s;
        try {
            task<papilio::report> call = papilio::all_reduce_in_place(
                net, data, papilio::weighted_mean{}, papilio::identity{}, options);
            co_await std::move(call);
        } catch (const papilio::call_error& failure) {
            found += failure.code() == papilio::errc::mismatch;
        }
    });
    CHECK(found == 3);
}
