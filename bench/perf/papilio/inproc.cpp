#include "perf/papilio/backend.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/transport/inproc.hpp>

#include <deque>
#include <mutex>

namespace papilio::perf {

namespace {

/// A group and the loops of its peers. The last peer destroys it.
struct shared_group {
    explicit shared_group(int peers) : loops(static_cast<std::size_t>(peers)), group(pointers()) {}

    std::vector<loop*> pointers()
    {
        std::vector<loop*> all;
        for (auto& l : loops) all.push_back(&l);
        return all;
    }

    std::deque<thread_loop> loops;
    inproc::group group;
};

class in_process final : public papilio_backend {
public:
    in_process(const papilio_form& f, const options& o, const place& p,
               std::shared_ptr<shared_group> g)
        : papilio_backend(f, o, p.peers), rank_(p.rank), group_(std::move(g))
    {
    }

    /// What calls of earlier jobs have left is not this job's memory.
    void prepare(const job& j, const void* in, void* out) override
    {
        my_loop().release_memory();
        papilio_backend::prepare(j, in, out);
    }

    call_facts call() override
    {
        return facts_from(sync_wait(my_loop(), start(any_transport(group_->group.peer(rank_)))));
    }

private:
    loop& my_loop() { return group_->loops[static_cast<std::size_t>(rank_)]; }

    int rank_;
    std::shared_ptr<shared_group> group_;
};

/// The shared place for the group that the first thread makes.
struct meeting_place {
    std::mutex mutex;
    std::weak_ptr<shared_group> group;
};

}  // namespace

std::function<std::unique_ptr<backend>(const place&)> join_inproc(const papilio_form& f,
                                                                  const options& o)
{
    return [=, here = std::make_shared<meeting_place>()](const place& p) {
        std::shared_ptr<shared_group> group;
        {
            const std::lock_guard lock(here->mutex);
            group = here->group.lock();
            if (!group) here->group = group = std::make_shared<shared_group>(p.peers);
        }
        p.exchange({});  // no peer may leave before all peers have joined
        return std::make_unique<in_process>(f, o, p, std::move(group));
    };
}

}  // namespace papilio::perf
