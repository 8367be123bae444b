#pragma once

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/session/join_retries.hpp>
#include <papilio/session/round_work.hpp>
#include <papilio/session/run_client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct elastic_member_options {
    run_client_options client;
    std::uint32_t rounds = 0;                      ///< of the run, after which it ends; 0: no limit
    duration patience = std::chrono::seconds(90);  ///< with a rendezvous that is away, or full

    /// No host holds the state: this member offers its own where nobody holds the run's, and takes
    /// over the run's in any case, also where that begins anew.
    bool offers_state = false;

    /// How long to go on giving the state, when this member leaves, to others that are behind and
    /// have nobody else.
    duration linger{};
};

/// How a member's part in a round has ended.
enum class round_end {
    averaged,  ///< its update is in the mean, or it was there, and the state is the one after that
    replaced,  ///< the run has another state, which this member has taken over without its update
    stopped,   ///< stopped, or the run is over
};

/// A member's way through a run: joins, fetches the state, averages, takes the step to the next
/// state, and comes back as a new member when it has lost the run by a fault of others or of the
/// network. Its owner works between the rounds. Used by one thread at a time.
class elastic_member {
public:
    /// `abandon` ends a call at once, also an average that is under way.
    elastic_member(round_work& work, const elastic_member_options& o, std::stop_token abandon = {})
        : work_(work), options_(o), abandon_(std::move(abandon))
    {
    }

    /// Returns once this member is in the run and holds its state. False: `stop` was requested,
    /// which ends any wait of this and later calls, or the run is over. Throws what no further try
    /// can mend, and `gave_up` when it has waited in vain.
    bool join(std::stop_token stop);

    /// Makes a round, with as many attempts as that takes, joining again where the run was lost.
    round_end synchronise();

    /// Takes over the state of the run, which went on without this member: see `has_news`.
    void follow();

    /// Leaves in good order, if it is in the run: see `run_client`. Lingers unless abandoned.
    void leave(duration limit = std::chrono::seconds(30));

    /// Whether the run advanced without this member, or expelled it. Does not block.
    bool has_news() const { return run_ && run_->has_news(); }

    /// How long the others still wait for this member; zero: they have not said so.
    std::uint32_t closing_in_ms() const { return run_ ? run_->closing_in_ms() : 0; }

    /// Whether the run has ended, or as many of its rounds as were wanted.
    bool over() const;

    /// This member's id; 0: it is not in the run.
    std::uint16_t id() const { return run_ ? run_->joined().id : std::uint16_t{0}; }

private:
    /// A result that this member has reported, before it knows whether that is the run's.
    struct reported_state {
        shared_state state;
        std::string digest;
        std::size_t contributors = 0;
    };

    /// A state, and the member that has given it; null: nobody has.
    struct given_state {
        shared_state state;
        std::uint16_t donor = 0;
    };

    bool stays(const std::system_error& failure, bool joined);
    bool may_pass(const std::system_error& failure, bool joined);
    void wait_to_join(const std::system_error& failure, bool joined);

    round_end average_round();
    bool average(const wire::group& group);
    std::vector<std::byte> make_state(const average_result& how, std::shared_ptr<state_snapshot>& s,
                                      wire::round_report& told);
    void adopt_reported(const average_result* how);
    bool is_reported(const wire::run_status& now) const;
    void check_fallback(std::uint32_t to);
    void enter();
    void await_state();
    bool offer_state(wire::run_status& now);
    void tell_state();
    void catch_up(wire::run_status now);
    bool holds(const wire::run_status& now) const;
    void fetch(wire::run_status now);
    given_state fetch_any(const wire::run_status& now);
    given_state replay(const shared_state& from, const wire::run_status& now);
    wire::run_status ask_status(std::uint32_t round, const std::string& digest);

    round_work& work_;
    elastic_member_options options_;
    std::stop_token abandon_;
    std::stop_token stop_;
    std::optional<reported_state> reported_;
    std::optional<round_end> ended_round_;  // since `synchronise` was called
    std::string last_failure_;              // of an attempt
    int setbacks_ = 0;                      // in a row, while the rendezvous was there
    join_retries retries_;
    bool was_in_run_ = false;  // the state was the run's once
    bool ended_ = false;       // by the host
    background_loop background_;
    std::optional<run_client> run_;  // after the loop to which it belongs
};

/// The state after these means, which are written by `write_mean` and have followed `from`. Throws
/// as `read_mean` does.
shared_state replayed(round_work& work, shared_state from,
                      const std::vector<std::vector<std::byte>>& means);

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/session/impl/catch_up.hpp>
#include <papilio/session/impl/elastic_member.hpp>
#endif
