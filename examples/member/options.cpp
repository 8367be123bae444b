#include "options.hpp"

#include "checks.hpp"
#include "logging.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/random.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <bit>

namespace papilio::example {

void add_common(CLI::App& app)
{
    app.set_config("--config", "", "file with options, such as `batch = 4`, one per line");
    app.option_defaults()->always_capture_default()->multi_option_policy(
        CLI::MultiOptionPolicy::TakeLast);
    app.get_formatter()->column_width(34);
}

void add_run_options(CLI::App& app, run_options& o)
{
    std::vector<std::string> codecs;
    for (const auto& entry : round_codecs) codecs.emplace_back(entry.name);
    const std::string all = "The run (equal for all members)";
    app.add_option("--run", o.name, "name of the run; members of other runs are refused")
        ->check(readable_text())
        ->group(all);
    app.add_option("--preset", o.model, "model: demo, gpt2-124m or gpt2-250m")
        ->check(CLI::IsMember({"demo", "gpt2-124m", "gpt2-250m"}))
        ->group(all);
    app.add_option("--seed", o.seed, "seed of the initial weights")->check(whole())->group(all);
    app.add_option("--codec", o.codec, "encoding of updates: none, f16, bf16, int8b, int4b, topk")
        ->transform(one_of(codecs))
        ->default_str(std::string(name(o.codec)))
        ->group(all);
    app.add_option("--outer-lr", o.outer.rate, "learning rate of the outer optimiser")
        ->check(above_zero())
        ->group(all);
    app.add_option("--outer-momentum", o.outer.momentum, "Nesterov momentum of the outer optimiser")
        ->check(between(0, 0.999))
        ->group(all);

    app.add_option("--init", o.init,
                   "folder with a GPT-2 as transformers saves it, for the first weights")
        ->group(all);

    const std::string here = "This machine";
    app.add_option("--data", o.data, "text files, llm.c shards (*.bin), patterns or folders")
        ->required()
        ->group(here);
    app.add_option("--held-out", o.held_out, "share of the text kept for evaluation")
        ->check(above_zero(0.9))
        ->group(here);
    app.add_option("--length", o.length, "tokens in a sequence; 0: the most that the model takes")
        ->check(whole())
        ->group(here);
    app.add_option("--device", o.device, "device: auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
        ->group(here);
    app.add_option("--threads", o.threads, "threads; 0: as OMP_NUM_THREADS says")
        ->check(whole(0, 1024))
        ->group(here);
    app.add_option("--congestion", o.congestion, "congestion control of TCP: cubic, bbr, ...")
        ->group(here);
    add_log(app, o.log, here);
}

std::uint64_t configuration(const run_options& o)
{
    const auto m = preset(o.model);
    constexpr std::uint64_t version = 2;  // of the state's layout and computation, and of rounds:
                                          // from 2 on they go on without members that are lost
    return hash(version, m.vocabulary, m.context, m.layers, m.width, m.heads, o.seed,
                static_cast<std::uint64_t>(o.codec), std::bit_cast<std::uint32_t>(o.outer.rate),
                std::bit_cast<std::uint32_t>(o.outer.momentum));
}

std::vector<wire::setting> settings(const run_options& o)
{
    return {{"--preset", o.model},
            {"--seed", std::to_string(o.seed)},
            {"--codec", std::string(name(o.codec))},
            {"--outer-lr", fmt::format("{}", o.outer.rate)},
            {"--outer-momentum", fmt::format("{}", o.outer.momentum)}};
}

device_kind device_named(std::string_view name)
{
    if (name == "cpu") return device_kind::cpu;
    return name == "cuda" ? device_kind::cuda : device_kind::automatic;
}

}  // namespace papilio::example
