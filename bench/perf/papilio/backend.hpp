#pragma once

#include "perf/backend.hpp"
#include "perf/options.hpp"
#include "perf/worker_group.hpp"

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/plan/schedule.hpp>
#include <papilio/transport/any_transport.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace papilio::perf {

/// How papilio goes about it, in one form of several.
struct papilio_form {
    std::string codec = "identity";
    std::vector<int> radix = {};  ///< empty: by the cost model, or else one stage
    link_table links = {};        ///< as far as they are known: else about nobody
};

/// How papilio carries out a job: as the cost model says where the links are known, but for what
/// the command line says.
schedule schedule_for(const papilio_form& f, const options& o, const job& j);

/// What the cost model expects of that in seconds; zero where the links are not known.
double predicted_seconds(const papilio_form& f, const options& o, const job& j);

/// What the backends on all transports share: the call, and what it may be wrong by.
class papilio_backend : public backend {
public:
    papilio_backend(const papilio_form& f, const options& o, int peers);

    bool takes(const job& j) const override;
    bool in_place_only(const job& j) const override;
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
    std::unique_ptr<thread_pool> pool_;
    job job_;
    schedule how_;
    const void* in_ = nullptr;
    void* out_ = nullptr;
};

/// Over what --transport says: TCP, shared memory, or for each pair the better of both.
std::unique_ptr<backend> join_mesh(const papilio_form& f, const options& o, const place& p);

/// Threads of one process that hold a group together.
std::function<std::unique_ptr<backend>(const place&)> join_inproc(const papilio_form& f,
                                                                  const options& o);

/// All peers in virtual time, in this process.
std::unique_ptr<worker_group> make_simulated_workers(const papilio_form& f, const options& o);

}  // namespace papilio::perf
