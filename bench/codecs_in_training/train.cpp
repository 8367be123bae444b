#include "train.hpp"

#include <member/state.hpp>
#include <trainer/training.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/residuals.hpp>
#include <papilio/transport/inproc.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace papilio::example {

namespace {

struct worker {
    worker(const gpt2_options& o, std::uint64_t peer, float beta)
        : training(std::make_unique<gpt2_trainer>(o), peer),
          kept(training.size(), {.beta = beta}),
          update(training.size()),
          averaged(training.size())
    {
    }

    example::training training;
    residuals<bf16> kept;
    std::vector<float> update;
    std::vector<float> averaged;
    std::uint64_t sent = 0;
};

task<> take_part(any_transport net, const averaging& run, worker& w)
{
    task<report> round = run(net, w.update, w.averaged, w.kept);
    const report told = co_await std::move(round);
    w.sent += told.bytes_sent();
}

task<> all_of(std::vector<task<>> tasks)
{
    co_await when_all(std::move(tasks));
}

/// A round's averaging, over the transport within this process.
void average_all(std::vector<std::unique_ptr<worker>>& workers, const averaging& run)
{
    thread_loop loop;
    inproc::group group(static_cast<int>(workers.size()), loop);
    std::vector<task<>> tasks;
    for (std::size_t rank = 0; rank < workers.size(); ++rank)
        tasks.push_back(
            take_part(any_transport(group.peer(static_cast<int>(rank))), run, *workers[rank]));
    sync_wait(loop, all_of(std::move(tasks)));
    for (auto& w : workers) {
        w->kept.commit();
        if (w->averaged != workers.front()->averaged)
            throw std::system_error(errc::mismatch, "workers hold different results");
    }
}

}  // namespace

outcome train(const options& o, std::uint64_t seed, const contender& by)
{
    std::vector<std::unique_ptr<worker>> workers;
    for (std::uint64_t peer = 1; peer <= o.workers; ++peer) {
        auto training = o.training;
        training.seed = seed;
        workers.push_back(std::make_unique<worker>(training, peer, o.beta));
    }
    shared_state state = first_state(workers.front()->training.parameters());
    for (std::uint64_t round = 0; round < o.rounds; ++round) {
        for (auto& w : workers) {
            w->training.set_parameters(weights(*state));
            for (std::uint64_t i = 0; i < o.inner_steps; ++i) w->training.step();
            pseudo_gradient(weights(*state), w->training.parameters(), w->update);
        }
        average_all(workers, by.run);
        auto next = next_state(*state);
        next->spans[0] = workers.front()->averaged;
        advance(*state, *next, o.outer);
        state = std::move(next);
    }
    outcome all;
    for (const auto& w : workers) all.bytes += static_cast<double>(w->sent);
    all.bytes /= static_cast<double>(o.workers * o.rounds);
    auto& judge = workers.front()->training;
    judge.set_parameters(weights(*state));
    all.loss = judge.evaluate(o.evaluate).loss;
    return all;
}

}  // namespace papilio::example
