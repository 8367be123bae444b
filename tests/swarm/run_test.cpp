// A whole run in virtual time: a host and members that train (by a toy), average over a mesh, join
// late, fetch the state, and die. Everything but registration goes over the simulated network.

#include <papilio/collective/all_reduce.hpp>
#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/op.hpp>
#include <papilio/swarm/rendezvous.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/transport/subset.hpp>

#include <papilio/base/checksum.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t size = 5000;
constexpr std::uint32_t last_round = 6;

std::string digest_of(const pa::state_snapshot& s)
{
    std::uint64_t all = s.round;
    for (const auto& span : s.spans)
        all = pa::hash(all, pa::checksum(std::as_bytes(std::span(span))));
    return std::to_string(all);
}

pa::shared_state first_state()
{
    auto s = std::make_shared<pa::state_snapshot>();
    s->spans.assign(2, std::vector<float>(size, 0.0f));
    for (std::size_t i = 0; i < size; ++i) s->spans[0][i] = static_cast<float>(i % 17);
    return s;
}

/// One participant, as a program would be: what it holds, and what it does in turn.
class participant {
public:
    participant(pa::sim::world& w, pa::any_channel c, pa::duration work, bool observes)
        : world_(w), client_(w, std::move(c)), work_(work), observes_(observes)
    {
    }

    pa::task<> live()
    {
        wire::join request{"run", {}, {"mesh", 0}, size, 1};
        request.at.port = next_port++;
        const auto me = co_await client_.join(request);
        net_ = &world_.peer(me.id);
        co_await catch_up(me.now);
        for (int peer = 0; peer < world_.size(); ++peer)
            if (peer != me.id) serving_.push_back(pa::serve_state(*net_, peer, state_));
        for (auto& s : serving_) s.start(world_);
        while (state_->round < last_round) {
            co_await round();
        }
        co_await pa::sleep_for(30s);  // whoever is behind may still fetch
        co_await client_.leave();
    }

    const pa::state_snapshot& state() const { return *state_; }
    int fetched() const { return fetched_; }
    int averaged() const { return averaged_; }
    int id() const { return net_ ? net_->rank() : -1; }

    static inline std::uint16_t next_port = 1;

private:
    pa::task<> catch_up(wire::run_status now)
    {
        if (now.round > 0) {
            co_await client_.report_state_fetching(now.round);
            std::vector<int> donors;
            for (const auto& d : now.donors) donors.push_back(d.id);
            auto got =
                co_await pa::fetch_state(*net_, donors, {size, size}, {.min_round = now.round});
            state_ = std::make_shared<pa::state_snapshot>(std::move(got));
            ++fetched_;
        }
        wire::state_held h{state_->round, digest_of(*state_)};
        co_await client_.report_state_held(h);
    }

    pa::task<> round()
    {
        std::vector<float> local = state_->spans[0];
        if (!observes_) {
            for (int step = 0; step < 10 && client_.closing_in_ms() == 0; ++step) {
                co_await pa::sleep_for(work_);
                for (auto& v : local) v += 0.001f * static_cast<float>(net_->rank() + step);
            }
        }
        wire::round_ready r{state_->round, digest_of(*state_), 10};
        co_await client_.report_round_ready(r);
        const auto summons = co_await client_.await_group();
        if (const auto* behind = std::get_if<wire::state_outdated>(&summons)) {
            auto now = behind->now;
            co_await catch_up(std::move(now));
            co_return;
        }
        const auto& group = std::get<wire::group>(summons);
        const auto next = std::make_shared<pa::state_snapshot>();
        wire::round_report d{group.round, group.attempt, false};
        co_await average(group, local, *next, d);
        auto outcome = co_await client_.report_round(d);
        if (outcome.ok && outcome.yours) {
            state_ = next;
            ++averaged_;
        } else if (outcome.ok) {
            co_await catch_up(std::move(outcome.now));
        }
    }

    pa::task<> average(const wire::group& group, const std::vector<float>& local,
                       pa::state_snapshot& next, wire::round_report& d)
    {
        std::vector<int> ids;
        std::vector<pa::role> roles;
        for (const auto& m : group.members) {
            ids.push_back(m.id);
            roles.push_back(static_cast<pa::role>(m.role));
        }
        std::vector<float> mine(size), mean(size);
        pa::pseudo_gradient(state_->spans[0], local, mine);
        pa::subset peers(*net_, ids, group.epoch);
        try {
            const std::span<const float> in =
                observes_ ? std::span<const float>{} : std::span<const float>(mine);
            const auto report = co_await pa::all_reduce(
                peers, in, mean, pa::mean{}, pa::identity{},
                {.timeout = std::chrono::milliseconds(group.timeout_ms), .roles = roles});
            d.ok = true;
            d.bytes_sent = report.bytes_sent();
        } catch (const pa::call_error& failure) {
            const bool saw = failure.reporter() == peers.rank() && failure.culprit() >= 0 &&
                             failure.culprit() != peers.rank();
            if (saw) d.culprit = peers.member(failure.culprit());
        }
        if (!d.ok) co_return;
        next.round = state_->round + 1;
        next.spans.assign(2, std::vector<float>(size));
        pa::outer_step({state_->spans[0], state_->spans[1], next.spans[0], next.spans[1]}, mean);
        d.digest = digest_of(next);
    }

    pa::sim::world& world_;
    pa::rendezvous_client client_;
    pa::duration work_;
    bool observes_;
    pa::sim::transport* net_ = nullptr;
    pa::shared_state state_ = first_state();
    std::vector<pa::task<>> serving_;
    int fetched_ = 0;
    int averaged_ = 0;
};

struct whole_run {
    explicit whole_run(std::uint64_t seed, pa::duration fetch_hold = 60s)
        : world({.seed = seed, .peers = 8, .latency = 20ms, .jitter = 5ms, .all = {1e6, 1e6}}),
          server(world, pa::run_description{"run", size, 1, 0, ""}, {"mesh", 9000},
                 {.groups = {.min_group = 2,
                             .group_wait = 5s,
                             .round_timeout = 10s,
                             .report_grace = 2s,
                             .fetch_hold = fetch_hold}})
    {
        add(pa::any_channel(server.host_channel()), 0s, true);
    }

    participant& add(pa::any_channel c, pa::duration work, bool observes = false)
    {
        everybody.push_back(std::make_unique<participant>(world, std::move(c), work, observes));
        lives.push_back(everybody.back()->live());
        lives.back().start(world);
        return *everybody.back();
    }

    participant& add_member(pa::duration work)
    {
        auto ends = pa::make_pipe(world, 20ms);
        server.welcome(pa::any_channel(std::move(ends.first)));
        return add(pa::any_channel(std::move(ends.second)), work);
    }

    void run_until(pa::time_point when) { pa::sync_wait(world, pa::sleep_for(when - world.now())); }

    void run_to_the_end()
    {
        for (int i = 0; i < 600; ++i) {
            run_until(world.now() + 1s);
            bool over = true;
            for (auto& life : lives) over = over && life.finished();
            if (over) break;
        }
        for (auto& life : lives) {
            REQUIRE(life.finished());
            life.result();
        }
    }

    pa::sim::world world;
    pa::rendezvous_server server;
    std::vector<std::unique_ptr<participant>> everybody;
    std::vector<pa::task<>> lives;
};

}  // namespace

TEST_CASE("all members of a run end with the same bits, latecomers too", "[run]")
{
    const auto seed = GENERATE(range(1, 21));
    INFO("seed " << seed);
    whole_run r(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < 3; ++i) r.add_member(std::chrono::milliseconds(100 + 20 * i));
    r.run_until(pa::time_point(3s + seed * 70ms));
    auto& late = r.add_member(110ms);
    r.run_to_the_end();
    CHECK(r.server.run().round() == last_round);
    for (const auto& p : r.everybody) {
        CHECK(p->state().round == last_round);
        CHECK(p->state().spans == r.everybody[0]->state().spans);
    }
    CHECK(late.fetched() >= 1);
    CHECK(r.everybody[1]->fetched() == 0);
}

TEST_CASE("a latecomer whose transfer takes longer than a round is waited for, and takes part",
          "[run]")
{
    const auto seed = GENERATE(range(1, 21));
    const bool waits = GENERATE(true, false);
    INFO("seed " << seed);
    whole_run r(static_cast<std::uint64_t>(seed), waits ? 60s : 0s);
    for (int i = 0; i < 3; ++i) r.add_member(std::chrono::milliseconds(100 + 20 * i));
    r.run_until(pa::time_point(1500ms + seed * 70ms));
    r.world.reshape(4, {9e3, 9e3});  // the state takes it five seconds, and a round less than two
    auto& late = r.add_member(10ms);
    r.run_to_the_end();
    CHECK(late.id() == 4);
    CHECK((late.averaged() > 0) == waits);
    for (const auto& p : r.everybody) CHECK(p->state().spans == r.everybody[0]->state().spans);
}

TEST_CASE("a member that dies fails one attempt, and the others finish the run", "[run]")
{
    const auto seed = GENERATE(range(1, 21));
    INFO("seed " << seed);
    whole_run r(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < 4; ++i) r.add_member(std::chrono::milliseconds(100 + 20 * i));
    r.run_until(pa::time_point(2s + seed * 171ms));
    const auto victim = r.everybody[2]->id();
    REQUIRE(victim > 0);
    r.world.kill(victim);
    r.lives.erase(r.lives.begin() + 2);
    r.everybody.erase(r.everybody.begin() + 2);
    r.run_to_the_end();
    CHECK(r.server.run().round() == last_round);
    for (const auto& p : r.everybody) CHECK(p->state().spans == r.everybody[0]->state().spans);
}

TEST_CASE("a whole run may be dropped at any time", "[run][drop]")
{
    for (int at = 0; at < 40; ++at) {
        whole_run r(static_cast<std::uint64_t>(at));
        for (int i = 0; i < 3; ++i) r.add_member(100ms);
        r.run_until(pa::time_point(at * 97ms));
        r.lives.erase(r.lives.begin() + at % 4);
        r.everybody.erase(r.everybody.begin() + at % 4);
        r.run_until(r.world.now() + 500ms);
        r.lives.clear();
    }
}
