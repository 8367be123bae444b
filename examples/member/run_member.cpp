#include "run_member.hpp"

#include "seconds.hpp"

namespace papilio::example {

namespace {

elastic_member_options member_part(const run_member_options& o, const state_snapshot& state)
{
    elastic_member_options m;
    m.client = o.client;
    m.client.member_called = "miner";
    m.client.host_called = "validator";
    m.client.state_sizes = state_sizes(weights(state).size());
    m.rounds = o.rounds;
    m.patience = seconds_long(o.patience);
    m.offers_state = o.offers_state;
    return m;
}

}  // namespace

run_member::run_member(run_work& work, const run_member_options& o)
    : work_(work), member_(work, member_part(o, *work.state()))
{
    work.use(o.codec, o.outer);
}

void run_member::run(std::stop_token stop)
{
    while (!over() && member_.join(stop)) {
        const worked how = work(stop);
        if (how == worked::stopped) break;
        if (how == worked::news) {
            member_.follow();
        } else {
            work_.contribute(work_.update());
            if (member_.synchronise() == round_end::stopped) break;
        }
        work_.save(false);
    }
    member_.leave();
}

run_member::worked run_member::work(std::stop_token stop)
{
    closing_ = {};
    while (work_.steps_until_round() > 0) {
        if (stop.stop_requested()) return worked::stopped;
        if (member_.has_news()) return worked::news;
        if (must_be_ready()) break;
        work_.step();
    }
    return worked::enough;
}

/// Whether the others would go on without this member if it took another step.
bool run_member::must_be_ready()
{
    if (work_.steps_in_round() == 0) return false;
    if (closing_ == clock::time_point{}) {
        const auto ms = member_.closing_in_ms();
        if (ms == 0) return false;
        closing_ = clock::now() + std::chrono::milliseconds(ms);
    }
    const std::chrono::duration<double> margin(work_.seconds_per_step() + 0.5);
    return clock::now() + margin > closing_;
}

}  // namespace papilio::example
