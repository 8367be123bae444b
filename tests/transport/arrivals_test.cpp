#include <papilio/transport/arrivals.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

pa::network_address v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const auto byte = [](unsigned x) { return static_cast<std::uint8_t>(x); };
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, byte(a), byte(b), byte(c), byte(d)}};
}

/// The `host` of subscriber `s` in network `n`.
pa::network_address v6(unsigned n, unsigned s, unsigned host)
{
    const auto byte = [](unsigned x) { return static_cast<std::uint8_t>(x); };
    return {{0x20, 0x01, 0x0d, 0xb8, byte(n >> 8), byte(n), byte(s >> 8), byte(s), 0, 0, 0, 0, 0, 0,
             byte(host >> 8), byte(host)}};
}

constexpr pa::time_point start{};

/// Everybody comes a second after the one before: the silent are overdue at once.
class patient_list {
public:
    explicit patient_list(pa::arrival_limits limits) : among(limits) {}
    pa::arrivals::arrived arrive(const pa::network_address& from)
    {
        return among.arrive(from, start + ++come * 1s);
    }
    pa::arrivals among;
    int come = 0;
};

}  // namespace

TEST_CASE("of one address only so many newcomers are borne with that say nothing, the last ones")
{
    patient_list door({.in_all = 100, .silent_per_subscriber = 3, .silent_per_network = 50});
    std::vector<pa::arrivals::id> victims;
    for (int i = 0; i < 5; ++i)
        if (const auto gone = door.arrive(v4(198, 51, 100, 7)).victim) victims.push_back(*gone);
    CHECK(victims == std::vector<pa::arrivals::id>{0, 1});
    CHECK(door.among.present() == 3);
    CHECK_FALSE(door.arrive(v4(198, 51, 100, 8)).victim);
}

TEST_CASE(
    "where no two are of one network, the oldest goes that says nothing, and not the last one")
{
    patient_list door({.in_all = 4});
    for (unsigned i = 0; i < 4; ++i) door.arrive(v4(100 + i, 0, 0, 1));
    for (unsigned i = 0; i < 4; ++i)
        CHECK(door.arrive(v4(10 + i, 0, 0, 1)).victim == pa::arrivals::id{i});
    CHECK(door.arrive(v6(1, 1, 1)).victim == pa::arrivals::id{4});
}

TEST_CASE("half an address of IPv6 is one subscriber, and a /24 or /48 one network")
{
    patient_list door({.in_all = 100, .silent_per_subscriber = 2, .silent_per_network = 4});
    door.arrive(v6(1, 1, 1));
    door.arrive(v6(1, 1, 2));
    CHECK(door.arrive(v6(1, 1, 3)).victim == 0u);
    door.arrive(v6(1, 2, 1));
    CHECK_FALSE(door.arrive(v6(1, 3, 1)).victim);
    CHECK(door.arrive(v6(1, 4, 1)).victim == 1u);  // of the subscriber that has two
    CHECK_FALSE(door.arrive(v6(2, 1, 1)).victim);
    for (unsigned host = 1; host <= 4; ++host) CHECK_FALSE(door.arrive(v4(10, 0, 0, host)).victim);
    CHECK(door.arrive(v4(10, 0, 0, 5)).victim);
    CHECK_FALSE(door.arrive(v4(10, 0, 1, 5)).victim);
}

TEST_CASE("whoever has said hello outlasts the silent, and does not count as one of them")
{
    patient_list door({.in_all = 4, .silent_per_subscriber = 2, .silent_per_network = 2});
    const auto at = v4(10, 0, 0, 1);
    for (pa::arrivals::id i = 0; i < 3; ++i) {
        CHECK_FALSE(door.arrive(at).victim);
        door.among.spoke(i);
    }
    CHECK_FALSE(door.arrive(at).victim);
    CHECK(door.arrive(at).victim == 3u);
    door.among.spoke(4);
    CHECK(door.arrive(at).victim == 5u);  // itself: it is the only silent one
    door.among.left(1);
    CHECK_FALSE(door.arrive(at).victim);
}

TEST_CASE("many of one address may come at once, if they say hello within the grace")
{
    pa::arrivals among;
    std::vector<pa::arrivals::id> all;
    for (int i = 0; i < 150; ++i) {
        const auto one = among.arrive(v4(198, 51, 100, 7), start);
        CHECK_FALSE(one.victim);
        all.push_back(one.newcomer);
    }
    for (std::size_t i = 0; i < 100; ++i) among.spoke(all[i]);
    CHECK_FALSE(among.arrive(v4(198, 51, 100, 7), start + 999ms).victim);
    CHECK(among.arrive(v4(198, 51, 100, 7), start + 1s).victim == all[100]);
}

TEST_CASE("when all have spoken the oldest of the greatest crowd goes")
{
    patient_list door({.in_all = 3, .silent_per_subscriber = 2, .silent_per_network = 2});
    for (const auto& from : {v4(10, 0, 0, 1), v4(10, 0, 1, 1), v4(10, 0, 1, 1)})
        door.among.spoke(door.arrive(from).newcomer);
    const auto last = door.arrive(v4(10, 0, 2, 1));
    CHECK(last.victim == 1u);
    CHECK(last.newcomer == 3u);
}

TEST_CASE("a swarm of three hundred on this host gets in, whose address is one")
{
    patient_list by_loopback({});
    patient_list by_unix_sockets({});
    for (int i = 0; i < 300; ++i) {
        CHECK_FALSE(by_loopback.arrive(v4(127, 0, 0, 1)).victim);
        CHECK_FALSE(by_unix_sockets.arrive({}).victim);
    }
}

TEST_CASE("whoever is alone at its address outlasts any crowd of one network")
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        pa::random random(seed);
        pa::arrivals among({.in_all = 50});
        const auto honest = among.arrive(v6(9, 1, 1), start).newcomer;
        std::size_t victims = 0;
        for (int i = 0; i < 2000; ++i) {
            const auto from = v6(1, static_cast<unsigned>(random.below(200)), 7);
            const auto one = among.arrive(from, start + i * 1ms);
            if (random.below(2) == 0) among.spoke(one.newcomer);
            if (!one.victim) continue;
            ++victims;
            CHECK(*one.victim != honest);
        }
        CHECK(among.present() <= 50);
        CHECK(victims == 2001 - among.present());
    }
}

TEST_CASE("no crowd is larger than the limits say, whatever comes and goes")
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        pa::random random(seed);
        patient_list door({.in_all = 40, .silent_per_subscriber = 4, .silent_per_network = 9});
        std::map<pa::arrivals::id, pa::network_address> silent;
        bool kept = true;
        for (int i = 0; i < 3000; ++i) {
            const auto from = v4(10, 0, static_cast<unsigned>(random.below(3)),
                                 static_cast<unsigned>(random.below(8)));
            const auto one = door.arrive(from);
            silent[one.newcomer] = from;
            if (one.victim) silent.erase(*one.victim);
            const auto any = random.below(one.newcomer + 1);
            const auto what = random.below(3);
            if (what == 0) door.among.spoke(any);
            if (what == 1) door.among.left(any);
            if (what <= 1) silent.erase(any);
            std::map<pa::network_address, int> subscribers, networks;
            for (const auto& [number, at] : silent) {
                kept = kept && ++subscribers[at.subscriber()] <= 4;
                kept = kept && ++networks[at.network()] <= 9;
            }
            kept = kept && door.among.present() <= 40;
        }
        CHECK(kept);
    }
}
