#include "options.hpp"

#include "contenders.hpp"

#include <member/checks.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

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

}  // namespace papilio::example
