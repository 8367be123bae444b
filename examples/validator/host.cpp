#include "host.hpp"

#include <member/program.hpp>
#include <member/stop.hpp>
#include <trainer/problem.hpp>

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace papilio::example {

namespace {

secret_key drawn_secret()
{
    std::random_device source;
    secret_key key;
    for (auto& word : key.words) word = source();
    return key;
}

std::string known_as(std::uint16_t id, const std::string& name)
{
    const std::string number = "miner " + std::to_string(id);
    return name.empty() ? number : number + " (" + name + ")";
}

double mbit(double bytes_per_second)
{
    return bytes_per_second * 8 / 1e6;
}

}  // namespace

host::host(asio_loop& on, const host_options& o, shared_state first, std::string digest,
           std::function<void(observation)> tell, std::function<void(std::string)> note)
try : loop_(on), options_(o), tell_(std::move(tell)), note_(std::move(note)),
    state_(std::move(first)), digest_(std::move(digest)), mesh_(on, 0, o.mesh),
    listener_(on, o.listen), server_(on, o.run, mesh_.place(), o.rendezvous, this),
    client_(on, any_channel(server_.host_channel())), secret_(drawn_secret()) {
    mesh_.publish(state_);
} catch (const problem&) {
    throw;
} catch (const std::system_error& failure) {
    throw problem(failure.code(), sentence(failure) + ": " + failure.code().message());
}

host::~host() = default;

task<> host::run()
{
    std::vector<task<>> all;
    all.push_back(server_.serve(listener_));
    all.push_back(take_part());
    all.push_back(ending());
    all.push_back(measure_links());
    co_await when_any(std::move(all));
    co_await dismiss_all();
}

void host::end()
{
    ending_.open();
}

/// Finishes when nothing is under way and no further round is wanted. While this member is not
/// ready, no group is called.
task<> host::ending()
{
    co_await ending_.opened();
    const auto& members = server_.run().members();  // this one may not have joined yet
    while (called_.is_open() || busy_ || !members.contains(0) ||
           members.at(0).state == member_state::ready) {
        wire::state_held here{state_->round, digest_};
        const bool waits = members.contains(0) && !called_.is_open() && !busy_;
        if (waits) {
            co_await client_.holding(std::move(here));
        }
        co_await sleep_for(std::chrono::milliseconds(20));
    }
}

/// Tells everybody that the run is over, and gives them a moment to go.
task<> host::dismiss_all()
{
    for (const auto& [id, m] : members_)
        if (m.present) server_.expel(id, std::string(run_is_over));
    const auto until = loop_.now() + std::chrono::seconds(5);
    const auto anybody = [&] {
        return std::ranges::any_of(
            members_, [&](const auto& entry) { return mesh_.net().connected(entry.first); });
    };
    while (anybody() && loop_.now() < until) {
        co_await sleep_for(std::chrono::milliseconds(20));
    }
}

void host::saw(const membership_event& what)
{
    if (const auto* joined = std::get_if<member_joined>(&what); joined && joined->id != 0) {
        const auto& m = server_.run().members().at(joined->id);
        members_[joined->id] = {m.name, m.at, true, false, {}, {}};
        note_(known_as(joined->id, m.name) + " joined");
    } else if (const auto* left = std::get_if<member_left>(&what); left && left->id != 0) {
        members_[left->id].present = false;
        members_[left->id].left = left->reason;
        if (left->reason != run_is_over)
            note_(known_as(left->id, left->name) + " is gone: " + left->reason);
    } else if (const auto* called = std::get_if<group_called>(&what)) {
        for (const auto& m : called->group.members)
            if (m.id != 0) members_[m.id].at = m.at;
        called_.open();
    } else if (const auto* settled = std::get_if<group_settled>(&what)) {
        called_.close();
        settled_.push_back(*settled);
    }
}

overview host::look() const
{
    overview seen{server_.run().round(), called_.is_open(), members_, links_};
    for (const auto& [id, m] : server_.run().members()) {
        if (id == 0) continue;
        auto& known = seen.members[id];
        known.at = m.at;
        known.ready = m.state == member_state::ready;
        known.progress = m.progress;
    }
    return seen;
}

task<> host::take_part()
{
    wire::join request;
    request.run = options_.run.name;
    co_await client_.join(std::move(request));
    for (;;) {
        wire::round_ready here;
        here.round = state_->round;
        here.digest = digest_;
        co_await client_.ready(std::move(here));
        auto found = co_await client_.await_group();
        busy_ = true;
        if (auto* behind = std::get_if<wire::state_outdated>(&found)) {
            co_await catch_up(std::move(behind->now));
            tell_rounds(nullptr);
        } else {
            co_await observe(std::get<wire::group>(std::move(found)));
        }
        busy_ = false;
        if (options_.rounds != 0 && state_->round >= options_.rounds) ending_.open();
        if (ending_.is_open()) co_return;
    }
}

/// One round: the result comes in, and leads to the state that the miners must come to as well.
task<> host::observe(wire::group group)
{
    auto next = room_after(*state_);
    task<averaged> averaging =
        mesh_.average_in(group, options_.codec, sends_nothing_, {}, next->spans[0]);
    const averaged how = co_await std::move(averaging);
    wire::round_report told;
    told.round = group.round;
    told.attempt = group.attempt;
    told.ok = how.ok;
    told.seconds = how.seconds;
    told.culprit = how.culprit;
    if (how.ok) {
        const auto step = [&] {
            advance(*state_, *next, options_.outer);
            told.digest = example::digest(*next);
        };
        co_await offload(&pool_, step);
    }
    const std::string after = told.digest;
    wire::round_outcome outcome = co_await client_.done(std::move(told));
    if (outcome.ok && outcome.yours) {
        state_ = std::move(next);
        digest_ = after;
        mesh_.publish(state_);
    } else if (outcome.ok) {
        co_await catch_up(std::move(outcome.now));
    }
    tell_rounds(&how);
}

/// Passes on what has been settled; `how` is this member's own part in the last of it, if any.
void host::tell_rounds(const averaged* how)
{
    for (; !settled_.empty(); settled_.pop_front()) {
        observation o;
        o.what = std::move(settled_.front());
        if (o.what.ok && state_->round == o.what.group.round + 1) {
            o.state = state_;
            o.digest = digest_;
        }
        if (how != nullptr && settled_.size() == 1) {
            o.seen = how->what;
            o.shares = how->shares;
            o.why = how->why;
        }
        o.around = look();
        tell_(std::move(o));
    }
}

/// Fetches the state from a miner. Where that fails, the next try to be ready leads here again.
task<> host::catch_up(wire::run_status now)
{
    const auto parameters = static_cast<std::size_t>(options_.run.parameters);
    for (const auto& donor : now.donors) {
        try {
            task<state_snapshot> fetching = mesh_.fetch(donor, now.round, parameters);
            auto fetched = std::make_shared<const state_snapshot>(co_await std::move(fetching));
            std::string of_it;
            const auto work = [&] { of_it = example::digest(*fetched); };
            co_await offload(&pool_, work);
            if (fetched->round == now.round && of_it != now.digest) continue;
            state_ = std::move(fetched);
            digest_ = std::move(of_it);
            mesh_.publish(state_);
            co_return;
        } catch (const std::system_error&) {
            // The next one may have it.
        }
    }
    co_await sleep_for(std::chrono::seconds(1));
}

/// Whoever was not measured since the last round; the one measured longest ago comes first.
std::optional<std::uint16_t> host::next_to_measure()
{
    std::optional<std::uint16_t> found;
    for (const auto& [id, m] : members_) {
        const bool due = tried_[id] <= server_.run().round();
        if (!m.present || !due || !mesh_.net().connected(id)) continue;
        if (!found || tried_[id] < tried_[*found]) found = id;
    }
    return found;
}

/// Between rounds only: a measurement is dropped when a group is called, and comes first later.
task<> host::measure_links()
{
    for (;;) {
        const auto id = next_to_measure();
        if (!id || called_.is_open()) {
            co_await sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        const auto until = [](gate& called) -> task<> { co_await called.opened(); };
        std::vector<task<>> both;
        both.push_back(measure(*id));
        both.push_back(until(called_));
        co_await when_any(std::move(both));
    }
}

task<> host::measure(std::uint16_t id)
{
    const auto round = server_.run().round();
    try {
        round_trip_options r;
        r.secret = secret_;
        const auto trip = co_await measure_round_trip(mesh_.net(), id, r);
        bandwidth_options b;
        b.secret = secret_;
        b.bytes = options_.probe_bytes;
        const auto rate = co_await measure_bandwidth(mesh_.net(), id, b);
        links_[id] = {mbit(rate.up_bytes_per_second), mbit(rate.down_bytes_per_second),
                      std::chrono::duration<double, std::milli>(trip.p50).count(), round};
    } catch (const std::system_error&) {
        links_.erase(id);  // what cannot be measured meets no demand
    }
    tried_[id] = round + 1;
}

}  // namespace papilio::example
