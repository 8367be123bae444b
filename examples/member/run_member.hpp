#pragma once

#include "run_work.hpp"

#include <papilio/session/elastic_member.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace papilio::example {

struct run_member_options {
    run_client_options client;
    round_codec codec{};
    outer_options outer;
    std::uint32_t rounds = 0;   ///< of the run, after which this member ends; 0: no limit
    double patience = 90;       ///< seconds to wait for a rendezvous that is away, or full
    bool offers_state = false;  ///< see `elastic_member_options`
};

/// A member's way through a run: works and averages by turns, as an `elastic_member`.
class run_member {
public:
    run_member(run_work& work, const run_member_options& o);

    /// Returns in good order when the run ends or `stop` is requested. Throws what no further try
    /// can mend, and `gave_up` when it has waited in vain.
    void run(std::stop_token stop);

    /// Whether the run has ended, or as many of its rounds as were wanted.
    bool over() const { return member_.over(); }

private:
    using clock = std::chrono::steady_clock;
    enum class worked { enough, news, stopped };

    worked work(std::stop_token stop);
    bool must_be_ready();

    run_work& work_;
    clock::time_point closing_{};  // when the others go on without this member; 0: not known
    elastic_member member_;
};

}  // namespace papilio::example
