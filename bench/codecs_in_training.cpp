// What a codec costs in training: several workers train the demo model on batches of their own, and
// after every few steps average their pseudo-gradients by papilio's all-reduce, DiLoCo's way. For
// each seed all codecs begin with the same weights and draw the same batches, so that what differs
// at the end is the codec's doing.

#include <member/checks.hpp>
#include <member/program.hpp>
#include <member/state.hpp>
#include <trainer/threads.hpp>
#include <trainer/trainer.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/transport/inproc.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::example {

namespace {

struct options {
    trainer_options training;
    outer_options outer;
    std::uint64_t rounds = 100;
    std::uint64_t inner_steps = 10;
    std::uint64_t seeds = 3;
    std::size_t workers = 4;
    std::size_t evaluate = 1024;
    float beta = 1;
    std::vector<std::string> codecs;

    options()
    {
        training.model = preset("demo");
        training.batch = 2;
        training.length = 64;
        training.rate = {.peak = 1e-3, .warm_up = 20, .total = 0, .floor = 0.1};
        training.device = device_kind::cpu;
    }
};

using averaging = std::function<task<report>(any_transport, std::span<const float>,
                                             std::span<float>, residuals<bf16>&)>;

struct contender {
    std::string name;
    averaging run;
};

/// `make(residuals)` is the codec of one worker.
template <class Make>
contender entry(std::string name, Make make)
{
    return {std::move(name), [make](any_transport net, std::span<const float> in,
                                    std::span<float> out, residuals<bf16>& kept) {
                return all_reduce(net, in, out, mean{}, make(kept), call_options{});
            }};
}

using sparse = topk<64, two_bit_values>;

std::vector<contender> all_contenders()
{
    return {
        entry("none", [](residuals<bf16>&) { return identity{}; }),
        entry("int8b", [](residuals<bf16>&) { return int8b{}; }),
        entry("int4b", [](residuals<bf16>&) { return int4b<32>{}; }),
        entry("int4b+ef", [](residuals<bf16>& kept) { return error_feedback(kept, int4b<32>{}); }),
        entry("int4b+ef, int8b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, int4b<32>{}), int8b{}};
              }),
        entry("topk+ef, int8b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, sparse{}), int8b{}};
              }),
        entry("topk+ef, int4b back",
              [](residuals<bf16>& kept) {
                  return two_way{error_feedback(kept, sparse{}), int4b<32>{}};
              }),
    };
}

struct worker {
    worker(const trainer_options& o, float beta)
        : training(o),
          kept(training.size(), {.beta = beta}),
          update(training.size()),
          averaged(training.size())
    {
    }

    trainer training;
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

struct outcome {
    double loss = 0;
    double bytes = 0;  // that a worker sends in a round
};

outcome train(const options& o, std::uint64_t seed, const contender& by)
{
    std::vector<std::unique_ptr<worker>> workers;
    for (std::uint64_t peer = 1; peer <= o.workers; ++peer) {
        auto training = o.training;
        training.seed = seed;
        training.peer = peer;
        workers.push_back(std::make_unique<worker>(training, o.beta));
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
    all.loss = judge.evaluate(o.evaluate);
    return all;
}

options read_options(int argc, char** argv)
{
    options o;
    std::vector<std::string> known;
    for (const auto& c : all_contenders()) known.push_back(c.name);
    CLI::App app(
        "Trains the demo model by DiLoCo once for each codec and seed, and prints the "
        "held-out losses as a table",
        "papilio-bench-codecs-in-training");
    app.option_defaults()->always_capture_default();
    app.add_option("--data", o.training.data, "text files")->required();
    app.add_option("--rounds", o.rounds)->check(above_zero());
    app.add_option("--inner-steps", o.inner_steps, "steps between rounds")->check(above_zero());
    app.add_option("--seeds", o.seeds, "how many, from 1 on")->check(above_zero());
    app.add_option("--workers", o.workers)->check(CLI::Range(1, 64));
    app.add_option("--codecs", o.codecs, "those to compare, with the first of them")
        ->check(CLI::IsMember(known).description(""))
        ->delimiter(';');
    app.add_option("--batch", o.training.batch, "sequences in a step")->check(above_zero());
    app.add_option("--length", o.training.length, "tokens in a sequence; 0: the model's context");
    app.add_option("--lr", o.training.rate.peak, "highest learning rate; it ends at a tenth")
        ->check(above_zero());
    app.add_option("--warm-up", o.training.rate.warm_up, "steps until then");
    app.add_option("--outer-lr", o.outer.rate, "of the outer optimiser")->check(above_zero());
    app.add_option("--outer-momentum", o.outer.momentum)->check(between(0, 0.999));
    app.add_option("--beta", o.beta, "of error feedback")->check(between(0, 1));
    app.add_option("--evaluate", o.evaluate, "held-out sequences to look at; 0: all");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        throw;
    }
    if (o.codecs.empty()) o.codecs = known;
    // Without the cosine's end the last loss would tell of the last few batches, not of the codec.
    o.training.rate.total = o.rounds * o.inner_steps;
    return o;
}

/// The losses by seed and their mean; how that compares with the first codec; bytes.
void print_row(const std::string& name, const std::vector<outcome>& seeds, double& first_loss,
               double& first_bytes)
{
    double loss = 0;
    std::string row = fmt::format("| {} |", name);
    for (const auto& one : seeds) {
        loss += one.loss / static_cast<double>(seeds.size());
        row += fmt::format(" {:.4f} |", one.loss);
    }
    const double bytes = seeds.front().bytes;
    if (first_bytes == 0) {
        first_loss = loss;
        first_bytes = bytes;
    }
    row += fmt::format(" {:.4f} | {:+.2f} % | {:.0f} | {:.1f} |\n", loss,
                       100 * (loss / first_loss - 1), bytes, first_bytes / bytes);
    std::fputs(row.c_str(), stdout);
    std::fflush(stdout);
}

int compare(const options& o)
{
    std::string head = "| codec |", rule = "|---|";
    for (std::uint64_t seed = 1; seed <= o.seeds; ++seed) {
        head += fmt::format(" seed {} |", seed);
        rule += "---|";
    }
    fmt::print(
        "{} mean loss | to the first | bytes sent per round and worker | times fewer |\n"
        "{}---|---|---|---|\n",
        head, rule);
    double first_loss = 0, first_bytes = 0;
    for (const auto& c : all_contenders()) {
        if (std::ranges::count(o.codecs, c.name) == 0) continue;
        std::vector<outcome> seeds;
        for (std::uint64_t seed = 1; seed <= o.seeds; ++seed) {
            seeds.push_back(train(o, seed, c));
            fmt::print(stderr, "{}, seed {}: {:.4f}\n", c.name, seed, seeds.back().loss);
        }
        print_row(c.name, seeds, first_loss, first_bytes);
    }
    return exit_ok;
}

}  // namespace

}  // namespace papilio::example

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-bench-codecs-in-training", [&] {
        const auto o = read_options(argc, argv);
        limit_threads(1);  // more only change the bits
        return compare(o);
    });
}
