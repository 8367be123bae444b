#include "gpt2_model.hpp"

#include "threads.hpp"

#include <member/checks.hpp>

#include <CLI/CLI.hpp>

#include <string_view>

namespace papilio::example {

namespace {

constexpr const char* about_miner =
    "Trains a GPT-2 on your text and averages it with other miners at intervals (DiLoCo).";

constexpr const char* miner_examples = R"(
Examples:
  Join the run of a validator that listens at 10.0.0.1, port 5400
    papilio-miner --rendezvous 10.0.0.1:5400 --data book.txt
  GPT-2 with 124M weights on tokenised shards, with checkpoints to continue from
    papilio-miner --rendezvous 10.0.0.1:5400 --preset gpt2-124m --data 'shards/*.bin' \
        --checkpoint kept --resume
  Alone, for ten rounds
    papilio-miner --alone --data book.txt --rounds 10
  With options from a file that holds lines such as: data = book.txt
    papilio-miner --config miner.ini
)";

constexpr const char* validator_examples = R"(
Examples:
  Host a run of the demo model on ports 5400 and 5401 for an hour
    papilio-validator --data book.txt --minutes 60
  GPT-2 with 124M weights; miners need 50 Mbit/s each way; scores go to a file
    papilio-validator --preset gpt2-124m --data 'shards/*.bin' --min-up 50 --min-down 50 \
        --scores scores.jsonl --checkpoint kept --resume
)";

}  // namespace

void gpt2_model::add_options(CLI::App& app)
{
    const bool trains = user_ == user::miner;
    if (trains) app.description(about_miner);
    app.footer((trains ? miner_examples : validator_examples) + app.get_footer());
    add_shared(app);
    if (trains) add_training(app);
    app.final_callback([this, &app] { apply_preset(app); });
}

void gpt2_model::add_shared(CLI::App& app)
{
    const std::string all = "The run (equal for all members)";
    app.add_option("--preset", options_.name, "model: demo, gpt2-124m or gpt2-250m")
        ->check(CLI::IsMember({"demo", "gpt2-124m", "gpt2-250m"}))
        ->group(all);
    app.add_option("--seed", options_.seed, "seed of the initial weights")
        ->check(whole())
        ->group(all);
    app.add_option("--init", options_.init,
                   "folder with a GPT-2 as transformers saves it, for the first weights")
        ->group(all);

    const std::string here = "This machine";
    app.add_option("--data", options_.data, "text files, llm.c shards (*.bin), patterns or folders")
        ->required()
        ->group(here);
    app.add_option("--held-out", options_.held_out, "share of the text kept for evaluation")
        ->check(above_zero(0.9))
        ->group(here);
    app.add_option("--length", options_.length,
                   "tokens in a sequence; 0: the most that the model takes")
        ->check(whole())
        ->group(here);
    app.add_option("--device", device_, "device: auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
        ->group(here);
    app.add_option("--threads", threads_, "threads; 0: as OMP_NUM_THREADS says")
        ->check(whole(0, 1024))
        ->group(here);
}

void gpt2_model::add_training(CLI::App& app)
{
    const std::string training = "Training";
    app.get_option("--inner-steps")
        ->description("training steps between rounds; 0: the preset's")
        ->default_str("20 for demo, else 500");
    app.add_option("--batch", options_.batch, "sequences in a forward pass")
        ->check(above_zero())
        ->default_str("8")
        ->group(training);
    app.add_option("--accumulation", options_.accumulation, "forward passes in a step")
        ->check(above_zero())
        ->default_str("1 for demo, else 8")
        ->group(training);
    app.add_option("--lr", options_.rate.peak, "highest learning rate")
        ->check(above_zero())
        ->default_str("0.001 for demo, else 0.0004")
        ->group(training);
    app.add_option("--warm-up", options_.rate.warm_up, "steps until the highest learning rate")
        ->check(whole())
        ->default_str("20 for demo, else 1000")
        ->group(training);
    app.add_option("--lr-steps", options_.rate.total,
                   "step at which the cosine decay ends; 0: no decay")
        ->check(whole())
        ->group(training);
    app.add_option("--lr-floor", options_.rate.floor, "share of --lr after the decay, 0 to 1")
        ->check(between(0, 1))
        ->group(training);
    app.add_option("--weight-decay", options_.optimizer.decay, "weight decay of AdamW")
        ->check(zero_or_more())
        ->group(training);
    app.add_option("--clip", options_.optimizer.clip, "highest norm of the gradient; 0: no limit")
        ->check(zero_or_more())
        ->group(training);
}

/// Sets the options that were not given to the preset's defaults.
void gpt2_model::apply_preset(const CLI::App& app)
{
    const bool demo = options_.name == "demo";
    options_.model = preset(options_.name);
    options_.device = device_named(device_);
    if (user_ == user::validator) {
        options_.batch = demo ? 8 : 1;  // sequences in an evaluation step
        options_.rate = {};
        return;
    }
    const auto set_default = [&](const char* option, auto& value, auto standard) {
        if (app.count(option) == 0) value = standard;
    };
    set_default("--batch", options_.batch, std::size_t{8});
    set_default("--accumulation", options_.accumulation, std::size_t{demo ? 1u : 8u});
    set_default("--lr", options_.rate.peak, demo ? 1e-3 : 4e-4);
    set_default("--warm-up", options_.rate.warm_up, std::uint64_t{demo ? 20u : 1000u});
}

named_values gpt2_model::settings() const
{
    return {{"--preset", options_.name}, {"--seed", std::to_string(options_.seed)}};
}

std::uint64_t gpt2_model::inner_steps() const
{
    return options_.name == "demo" ? 20 : 500;
}

std::unique_ptr<papilio::trainer> gpt2_model::make()
{
    if (threads_ > 0) limit_threads(threads_);
    return std::make_unique<gpt2_trainer>(options_);
}

device_kind device_named(std::string_view name)
{
    if (name == "cpu") return device_kind::cpu;
    return name == "cuda" ? device_kind::cuda : device_kind::automatic;
}

}  // namespace papilio::example
