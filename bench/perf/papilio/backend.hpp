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
#include <papilio/transport/tcp/options.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace papilio::perf {

/// One form of papilio: a codec, what a failed call in place leaves, a butterfly and the links.
struct papilio_form {
    std::string codec = "identity";
    on_error failed = on_error::restored;
    bool allocates = false;       ///< the caller's buffers are memory that the transport gives
    bool communicator = false;    ///< calls are those of a communicator
    std::vector<int> radix = {};  ///< empty: the choice of the cost model, or one stage
    link_table links = {};        ///< empty: unknown
};

/// The schedule of a job. If the links are known, the cost model chooses it. Options on the command
/// line take precedence.
schedule schedule_for(const papilio_form& f, const options& o, const job& j);

/// The time of this schedule in seconds by the cost model. Zero if the links are not known.
double predicted_seconds(const papilio_form& f, const options& o, const job& j);

/// The common part of papilio's backends on all transports: the call and its tolerance.
class papilio_backend : public backend {
public:
    papilio_backend(const papilio_form& f, const options& o, int peers);

    bool takes(const job& j) const override;
    bool in_place_only(const job& j) const override;
    void prepare(const job& j, const void* in, void* out) override;
    data_kind data() const override;
    double tolerance(const job& j) const override;

protected:
    const papilio_form& form() const noexcept { return form_; }

    /// The prepared call: what it is, its buffers, and how it is made. A null `in` means in place.
    const job& asked() const noexcept { return job_; }
    const void* in() const noexcept { return in_; }
    void* out() const noexcept { return out_; }
    call_options how() const;

    /// Starts it.
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

/// Joins a group over the transport of --transport: TCP, shared memory, or the better of both for
/// each pair.
std::unique_ptr<backend> join_mesh(const papilio_form& f, const options& o, const place& p);

/// The same by a communicator.
std::unique_ptr<backend> join_communicator(const papilio_form& f, const options& o, const place& p);

/// The options of links over TCP that the command line asks for.
tcp::options tcp_options(const options& o, int peers);

/// Joins a group of threads of one process.
std::function<std::unique_ptr<backend>(const place&)> join_inproc(const papilio_form& f,
                                                                  const options& o);

/// Makes a group whose peers run in virtual time in this process.
std::unique_ptr<worker_group> make_simulated_workers(const papilio_form& f, const options& o);

}  // namespace papilio::perf
