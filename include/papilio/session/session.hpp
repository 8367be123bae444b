#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/session/chosen.hpp>
#include <papilio/session/session_host.hpp>
#include <papilio/swarm/state_snapshot.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct session_options {
    std::string run = "papilio";    ///< its name, which all members and the host agree on
    std::string name = {};          ///< of this member, for people
    std::string listen = ":0";      ///< for the other members; empty: they cannot dial this one
    std::string announce = {};      ///< "host:port" that they dial instead, such as a router's
    std::uint64_t configuration{};  ///< a digest of what else must be equal on all members
    std::uint32_t rounds = 0;       ///< after which the run is over for this member; 0: no limit

    /// How long to try again while the host is away or full, or no member gives the state. Counted
    /// from the first failure; the try under way may add up to 10 s.
    std::chrono::nanoseconds patience = std::chrono::seconds(90);

    /// How long a session that leaves goes on giving the run's state to members that are behind,
    /// where nobody else can: those that were late in the last round, or have just come.
    std::chrono::nanoseconds linger = std::chrono::seconds(30);
};

/// Makes the state after a round, `next`, of the one before and the round's mean. `next.spans` have
/// the lengths of `from.spans` and must keep them; may throw. All members must compute the same
/// bits.
using state_step = std::function<void(const state_snapshot& from, std::span<const float> mean,
                                      state_snapshot& next)>;

/// A member whose update is in a mean, and what it weighs there.
struct session_member {
    std::uint16_t id = 0;
    double weight = 1;
    friend bool operator==(const session_member&, const session_member&) = default;
};

/// What `session::average` has led to.
struct round_result {
    /// Whether this member has made the round with the others. False: its update is in no mean,
    /// because it was late. It then has the run's state, unless the run ended first: see `round`.
    bool averaged = false;

    std::uint32_t round = 0;  ///< rounds that have led to the state

    /// Empty unless averaged. Valid as long as this result or a copy of it.
    std::span<const float> mean{};
    std::shared_ptr<const void> mean_owner{};

    std::vector<session_member> members;  ///< whose updates are in it, by id
    std::vector<std::uint16_t> left;      ///< who was lost in the midst of it, and is not in it
    int attempts = 0;                     ///< that it took
    report call;                          ///< of the last one; ranks are those of its group
};

/// What has happened to a run, as a member of it sees it.
enum class session_news : std::uint8_t {
    joined,    ///< this member is in the run, under a new id
    lost,      ///< it has lost the run, and tries to come back
    came,      ///< another member is in a group for the first time
    went,      ///< another member is in no group any more, or was lost in a round
    redone,    ///< an attempt at a round has failed, and there is another
    replaced,  ///< this member has taken over the state of the run from another one
    said,      ///< something else that people may want to know
};

struct session_event {
    session_news what{};
    std::uint32_t round = 0;   ///< rounds done before
    std::uint16_t member = 0;  ///< whom it is about, if anybody
    std::string text;          ///< for people
};

/// A member of an elastic run: processes come and go while the others average, round after round.
/// All hold the same state, such as the parameters; a round averages what each of them has made of
/// it, and leads to the next state.
///
///     pa::session run("10.0.0.1:5400", model);   // the run's state, if it has begun
///     while (!run.over()) {
///         auto parameters = run.parameters();
///         train(parameters);
///         run.average(parameters, pa::mean{}, pa::int8b{});
///     }
///
/// A round goes on without members that are lost in the midst of it, and without those that are
/// late. A newcomer fetches the state from members, by a thread of the session, so that these go on
/// training. All members may be called from any thread; of several threads that average, one goes
/// first. Where a call does not say else it throws `std::system_error`: `errc::refused` and the
/// reason where the run does not take this member, `std::errc::operation_canceled` once another
/// thread has called `leave` or destroys the session.
class session {
    class body;

public:
    /// Joins the run whose host is at `rendezvous`, "host:port". What is averaged is the state
    /// itself: the first member's `first` is the run's, those of later ones are replaced. Returns
    /// once this member holds the run's state; throws `gave_up` after `session_options::patience`.
    session(const std::string& rendezvous, std::vector<float> first, session_options o = {});

    /// The state has several parts, such as parameters and momentum, and `step` makes the next one
    /// of the mean. It is called by the thread that averages, or that joins.
    session(const std::string& rendezvous, std::vector<std::vector<float>> first, state_step step,
            session_options o = {});

    /// Leaves, as `leave` does. Averages that are under way, in other threads or started, fail
    /// within a second with `std::errc::operation_canceled`, and nobody is waited for then.
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Hosts a run in this program, which need not be a member of it.
    static session_host host(session_host_options o = {}) { return session_host(std::move(o)); }

    /// Averages `update` with those of all members that are ready, and takes the step to the next
    /// state: returns when the others have done so, too. All members give equally many elements,
    /// and the same operation and codec. `weight` is for `weighted_mean`. When an attempt has
    /// failed, or the host was away, makes another one.
    ///
    /// Borrows `update` until it returns. Blocks for as long as fewer than the host's `min_members`
    /// are ready: `patience` does not limit that. An exception of `step` comes out of it as it is.
    /// Where members disagree about elements, operation, codec or the next state, attempts are
    /// repeated; different states throw `std::system_error` once `patience` is over.
    /// `errc::bad_argument`, at once: the update is not as long as the state, or where there is a
    /// `step`, as those of earlier rounds of this session.
    round_result average(std::span<const float> update, chosen_op op = mean{},
                         chosen_codec codec = {}, double weight = 1);

    /// Averages that are started: see `start`. It may be kept, and outlive the session.
    class started_calls {
    public:
        std::future<round_result> average(std::span<const float> update, chosen_op op = mean{},
                                          chosen_codec codec = {}, double weight = 1) const;

    private:
        friend class session;
        explicit started_calls(std::shared_ptr<session::body> b) : body_(std::move(b)) {}
        std::shared_ptr<session::body> body_;
    };

    /// The same call, which returns a future at once, and is made by a thread of the session:
    ///
    ///     auto call = run.start().average(copy);
    ///     train(parameters);   // goes on meanwhile
    ///     const auto how = call.get();   // throws what the call threw
    ///
    /// Until the future is ready, the update is the call's and must not change; `state` gives the
    /// state of before, and a `step` is called by that thread. Averages are made in the order in
    /// which threads have asked for them, those that block among them. The future does not wait
    /// when it is destroyed, and may outlive the session.
    started_calls start() const { return started_calls(body_); }

    /// The state that the members have agreed on last. It does not change: the next round makes
    /// another one.
    shared_state state() const;

    /// A copy of the state's first span.
    std::vector<float> parameters() const { return state()->spans.at(0); }

    /// The rounds that have led to it.
    std::uint32_t round() const { return state()->round; }

    /// Whether the host has ended the run, or it has had as many rounds as were wanted. A member
    /// that was late in the last round is not over before another `average` has brought it that
    /// state, unless the host has not waited for it for so long: see `fetch_hold` there.
    bool over() const;

    /// Whether the run went on without this member: `average` would return without a mean at once.
    bool behind() const;

    /// How long the others still wait for this member's `average`; nothing: they do not yet.
    std::optional<std::chrono::milliseconds> closing_in() const;

    /// This member's id in the run; another one when it has lost the run and come back.
    std::uint16_t id() const;

    /// The oldest event that was not taken yet; the newest 1,000 are kept.
    std::optional<session_event> next_event();

    /// Leaves in good order, after the average that is under way. Further averages fail. Where
    /// members are behind, and nobody else can give them the run's state, stays until none is, for
    /// up to `session_options::linger`.
    void leave();

private:
    std::shared_ptr<body> body_;
};

}  // namespace papilio
