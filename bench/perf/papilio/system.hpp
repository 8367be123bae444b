#pragma once

#include "perf/contestant.hpp"
#include "perf/crew.hpp"
#include "perf/options.hpp"

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/transport/any_transport.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace papilio::perf {

/// How papilio goes about it, in one form of several.
struct papilio_form {
    std::string codec = "identity";
    std::vector<access_rate> links;  ///< what they carry, by rank; empty: nobody knows
};

/// What the contestants on all transports share: the call, and what it may be wrong by.
class papilio_contestant : public contestant {
public:
    papilio_contestant(const papilio_form& f, const options& o, int peers);

    bool takes(const job& j) const override;
    void prepare(const job& j, const void* in, void* out) override;
    data_kind data() const override;
    double tolerance(const job& j) const override;

protected:
    /// The call that was prepared, to be waited for.
    task<report> start(any_transport net) const;

    call_facts facts_from(const report& r) const;

private:
    papilio_form form_;
    options options_;
    int peers_;
    std::vector<double> shares_;
    std::unique_ptr<workers> pool_;
    job job_;
    const void* in_ = nullptr;
    void* out_ = nullptr;
};

std::unique_ptr<contestant> join_tcp(const papilio_form& f, const options& o, const place& p);
std::unique_ptr<contestant> join_shm(const papilio_form& f, const options& o, const place& p);

/// Threads of one process that hold a group together.
std::function<std::unique_ptr<contestant>(const place&)> join_inproc(const papilio_form& f,
                                                                     const options& o);

/// All peers in virtual time, in this process.
std::unique_ptr<crew> simulated_crew(const papilio_form& f, const options& o);

}  // namespace papilio::perf
