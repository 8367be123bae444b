#include "run_host.hpp"

#include "run_notes.hpp"

#include <trainer/problem.hpp>

#include <papilio/async/cancellation.hpp>
#include <papilio/session/mean_bytes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace papilio::example {

static member_network_options keeping_means(const run_host_options& o)
{
    auto mesh = o.mesh;
    mesh.kept_means = bytes_of_state(o.run.parameters);
    return mesh;
}

/// Takes the steps of the outer optimiser that the run has taken with these means.
static shared_state replayed(shared_state from, const std::vector<std::vector<std::byte>>& means,
                             outer_options o)
{
    for (const auto& mean : means) {
        auto next = next_state(*from);
        read_mean(mean, next->spans[0]);
        advance(*from, *next, o);
        from = std::move(next);
    }
    return from;
}

run_host::run_host(asio_loop& on, const run_host_options& o, shared_state first, std::string digest,
                   journal& settled, std::function<void(observation)> tell,
                   std::function<void(log_level, std::string)> note)
try : loop_(on), options_(o), journal_(settled), tell_(std::move(tell)), note_(std::move(note)),
    state_(std::move(first)), digest_(std::move(digest)), network_(on, 0, keeping_means(o)),
    listener_(on, o.listen), server_(on, o.run, network_.announced(), o.rendezvous, this),
    client_(on, any_channel(server_.host_channel())), monitor_(network_, o.probe_bytes) {
    if (!o.advertise.host.empty()) server_.advertise({o.advertise.host, o.advertise.port});
    network_.publish(state_);
} catch (const problem&) {
    throw;
} catch (const std::system_error& failure) {
    throw problem(failure.code(), sentence(failure) + ": " + failure.code().message());
}

run_host::~run_host() = default;

task<> run_host::run()
{
    co_await when_any(server_.serve(listener_), take_part(), wait_for_end(),
                      monitor_.run(server_.run(), called_));
    co_await dismiss_all();
}

void run_host::end(run_ending how)
{
    const bool ends_pause = how == run_ending::over && !dismissing_;
    if (ending_.is_open() && !ends_pause) return;
    how_ = how;
    ending_.open();
}

/// Finishes after `end`, once no group is averaging. It keeps this member from being ready, so that
/// no further group is called.
task<> run_host::wait_for_end()
{
    co_await ending_.opened();
    const auto& members = server_.run().members();  // this one may not have joined yet
    while (called_.is_open() || busy_ || !members.contains(0) ||
           members.at(0).state == member_state::ready) {
        wire::state_held here{state_->round, digest_};
        const bool waits = members.contains(0) && !called_.is_open() && !busy_;
        if (waits) {
            co_await client_.report_state_held(std::move(here));
        }
        co_await sleep_for(std::chrono::milliseconds(20));
    }
}

/// Tells all members that the run is over or pauses, and waits up to five seconds for them to
/// disconnect.
task<> run_host::dismiss_all()
{
    dismissing_ = true;
    if (how_ == run_ending::over)
        server_.close({"the run is over", wire::refusal_kind::run_over});
    else
        server_.close({"the run pauses: its validator was stopped, and means to come back",
                       wire::refusal_kind::paused});
    const auto until = loop_.now() + std::chrono::seconds(5);
    const auto any_connected = [&] {
        return std::ranges::any_of(
            members_, [&](const auto& entry) { return network_.net().connected(entry.first); });
    };
    while (any_connected() && loop_.now() < until) {
        co_await sleep_for(std::chrono::milliseconds(20));
    }
}

void run_host::saw(const membership_event& what)
{
    if (const auto* joined = std::get_if<member_joined>(&what); joined && joined->id != 0) {
        note_arrival(server_.run().members().at(joined->id));
    } else if (const auto* left = std::get_if<member_left>(&what); left && left->id != 0) {
        note_departure(*left);
    } else if (const auto* called = std::get_if<group_called>(&what)) {
        for (const auto& m : called->group.members)
            if (m.id != 0) members_[m.id].at = m.at;
        called_.open();
    } else if (const auto* outcome = std::get_if<group_round_outcome>(&what)) {
        called_.close();
        if (outcome->ok) write_down(*outcome);
        const auto label_of = [this](std::uint16_t id) { return label(id, members_[id].name); };
        const auto note = note_on_departures(*outcome, label_of);
        if (!note.empty()) note_(log_level::warning, note);
        outcomes_.push_back(*outcome);
    } else {
        if (const auto* adopted = std::get_if<state_adopted>(&what)) write_down(*adopted);
        const auto note = note_on(what, server_.run().round());
        const bool wrong = std::holds_alternative<member_unreachable>(what);
        if (!note.empty()) note_(wrong ? log_level::warning : log_level::info, note);
    }
}

void run_host::note_arrival(const member& m)
{
    members_[m.id] = {m.name, m.at, true, false, {}, {}, false};
    monitor_.forget(m.id);
    note_(log_level::info, label(m.id, m.name) + " joined");
}

void run_host::note_departure(const member_left& left)
{
    known_member& m = members_[left.id];
    m.present = false;
    m.left = left.reason;
    m.dismissed = dismissing_;
    if (!dismissing_)
        note_(log_level::info, label(left.id, left.name) + " is gone: " + left.reason);
}

/// Before members learn of it: what they hold is never later than the journal.
void run_host::write_down(const group_round_outcome& settled)
{
    settled_round s{settled.group.round + 1, settled.digest, {}};
    for (const auto& [id, report] : settled.reports) {
        const auto m = server_.run().members().find(id);
        const bool agrees = report.ok && report.digest == settled.digest;
        if (agrees && m != server_.run().members().end() && m->second.identity != 0)
            s.members.push_back(m->second.identity);
    }
    write_down(std::move(s));
}

/// So that those who hold this state need not come back together once more. Most of those who
/// settled the last round that is written down hold it.
void run_host::write_down(const state_adopted& later)
{
    settled_round s{later.round, later.digest, {}};
    if (journal_.last()) s.members = journal_.last()->members;
    write_down(std::move(s));
}

void run_host::write_down(settled_round s)
{
    try {
        journal_.append(s);
        told_failure_ = false;
    } catch (const problem& why) {
        if (!std::exchange(told_failure_, true))
            note_(log_level::warning,
                  fmt::format("{}; the run goes on, and this is tried again after each round",
                              why.what()));
    }
}

run_snapshot run_host::snapshot() const
{
    run_snapshot seen{server_.run().round(), called_.is_open(), members_, monitor_.links()};
    for (const auto& [id, m] : server_.run().members()) {
        if (id == 0) continue;
        auto& known = seen.members[id];
        known.at = m.at;
        known.ready = m.state == member_state::ready;
        known.progress = m.progress;
    }
    return seen;
}

task<> run_host::take_part()
{
    co_await client_.join({options_.run.name, {}});
    for (;;) {
        if (is_complete()) end(run_ending::over);
        if (ending_.is_open()) co_return;
        wire::round_ready here;
        here.round = state_->round;
        here.digest = digest_;
        co_await client_.report_round_ready(std::move(here));
        auto found = co_await client_.await_group();
        busy_ = true;
        if (auto* behind = std::get_if<wire::state_outdated>(&found)) {
            co_await catch_up(std::move(behind->now));
            tell_rounds(nullptr);
        } else {
            co_await observe(std::get<wire::group>(std::move(found)));
        }
        busy_ = false;
    }
}

/// Whether the run has had all its rounds. A host without the last state waits from then on for
/// those who can give it, but not for ever: they may have ended with the run.
bool run_host::is_complete()
{
    if (!server_.run().had_all_rounds()) return false;
    if (state_->round == server_.run().round()) return true;
    if (!patient_until_) patient_until_ = loop_.now() + options_.rendezvous.groups.resume_wait;
    return loop_.now() >= *patient_until_;
}

/// Observes one round: fetches the mean, takes the same outer step as the miners, and reports the
/// digest of the result.
task<> run_host::observe(wire::group group)
{
    auto next = next_state(*state_);
    const averaging_call call = [&](any_transport net, call_options o) {
        return average(net, {}, next->spans[0], options_.codec, no_residuals_, o);
    };
    task<average_result> averaging = network_.average_in(group, call, next->spans[0].size());
    const average_result how = co_await std::move(averaging);
    wire::round_report told;
    told.round = group.round;
    told.attempt = group.attempt;
    told.ok = how.ok;
    told.seconds = how.seconds;
    told.culprit = how.culprit;
    std::vector<std::byte> mean;
    if (how.ok) {
        const auto step = [&] {
            mean = write_mean(next->spans[0], how.part_begins);
            advance(*state_, *next, options_.outer);
            told.digest = example::digest(*next);
        };
        co_await offload(&pool_, step);
    }
    const std::string after = told.digest;
    wire::round_outcome outcome = co_await client_.report_round(std::move(told));
    if (outcome.ok && outcome.yours) {
        state_ = std::move(next);
        digest_ = after;
        network_.publish(state_, std::move(mean));
    } else if (outcome.ok) {
        co_await catch_up(std::move(outcome.now));
    }
    tell_rounds(&how);
}

/// Passes the ended attempts on. `how` is this member's own result of the last one, or null.
void run_host::tell_rounds(const average_result* how)
{
    for (; !outcomes_.empty(); outcomes_.pop_front()) {
        observation o;
        o.outcome = std::move(outcomes_.front());
        if (o.outcome.ok && state_->round == o.outcome.group.round + 1) {
            o.state = state_;
            o.digest = digest_;
        }
        if (how != nullptr && outcomes_.size() == 1) {
            o.own_report = how->call_report;
            o.shares = how->shares;
            o.failure = how->why;
        }
        o.snapshot = snapshot();
        tell_(std::move(o));
    }
}

/// Whether the run has settled on this state by now. A donor that gives a later one than was asked
/// for may lie.
bool run_host::is_current(const state_snapshot& s, const std::string& digest) const
{
    const auto now = server_.run().status_for(0);
    return s.round == now.round && (now.digest.empty() || digest == now.digest);
}

/// The state after the rounds that this member has missed, by their means, which are less than a
/// state; null: the donor does not give them.
task<shared_state> run_host::replay(wire::member_endpoint donor)
{
    if (state_->round == 0) co_return nullptr;
    try {
        task<std::vector<std::vector<std::byte>>> fetching =
            network_.fetch_means(std::move(donor), state_->round);
        const auto means = co_await std::move(fetching);
        shared_state after;
        const auto work = [&] { after = replayed(state_, means, options_.outer); };
        co_await offload(&pool_, work);
        co_return after;
    } catch (const std::system_error&) {
        co_return nullptr;
    }
}

/// False: it is not the run's state.
task<bool> run_host::adopt(shared_state given)
{
    std::string given_digest;
    const auto work = [&] { given_digest = example::digest(*given); };
    co_await offload(&pool_, work);
    if (!is_current(*given, given_digest)) co_return false;
    state_ = std::move(given);
    digest_ = std::move(given_digest);
    network_.publish(state_);
    co_return true;
}

/// Fetches the state from a miner: of a round that went on without somebody, which those who only
/// watch do not see, its mean is enough. If all fail, the next `report_round_ready` is answered by
/// `state_outdated`, and leads here again.
task<> run_host::catch_up(wire::run_status now)
{
    const auto parameters = static_cast<std::size_t>(options_.run.parameters);
    if (!now.donors.empty()) {
        co_await client_.report_state_fetching(now.round);
    }
    for (const auto& donor : now.donors) {
        try {
            task<shared_state> replaying = replay(donor);
            auto later = co_await std::move(replaying);
            if (later) {
                const bool adopted = co_await adopt(std::move(later));
                if (adopted) co_return;
            }
            task<state_snapshot> fetching =
                network_.fetch(donor, now.round, state_sizes(parameters));
            auto fetched = std::make_shared<const state_snapshot>(co_await std::move(fetching));
            const bool adopted = co_await adopt(std::move(fetched));
            if (adopted) co_return;
        } catch (const std::system_error&) {
            // The next donor may have it.
        }
    }
    co_await sleep_for(std::chrono::seconds(1));
}

}  // namespace papilio::example
