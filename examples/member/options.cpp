#include "options.hpp"

#include "checks.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/random.hpp>

#include <CLI/CLI.hpp>

#include <bit>
#include <map>

namespace papilio::example {

void add_habits(CLI::App& app)
{
    app.set_config("--config", "", "read options from this file, as `batch = 4` line by line");
    app.option_defaults()->always_capture_default()->multi_option_policy(
        CLI::MultiOptionPolicy::TakeLast);
    app.get_formatter()->column_width(34);
}

void add_run_options(CLI::App& app, run_options& o)
{
    static const std::map<std::string, round_codec> codecs{
        {"none", round_codec::none},   {"f16", round_codec::f16},     {"bf16", round_codec::bf16},
        {"int8b", round_codec::int8b}, {"int4b", round_codec::int4b}, {"topk", round_codec::topk}};
    const std::string all = "The run (the same for all who take part)";
    app.add_option("--run", o.name, "its name; members of other runs are turned away")
        ->check(readable_text())
        ->group(all);
    app.add_option("--preset", o.model, "the model: demo, gpt2-124m or gpt2-250m")
        ->check(CLI::IsMember({"demo", "gpt2-124m", "gpt2-250m"}))
        ->group(all);
    app.add_option("--seed", o.seed, "of the first weights")->group(all);
    app.add_option("--codec", o.codec, "how updates travel: none, f16, bf16, int8b, int4b or topk")
        ->transform(CLI::CheckedTransformer(codecs).description(""))
        ->default_str(std::string(name(o.codec)))
        ->group(all);
    app.add_option("--outer-lr", o.outer.rate, "rate of the outer optimiser")
        ->check(above_zero())
        ->group(all);
    app.add_option("--outer-momentum", o.outer.momentum, "its Nesterov momentum")
        ->check(between(0, 0.999))
        ->group(all);

    const std::string here = "This machine";
    app.add_option("--data", o.data, "text files, llm.c shards (*.bin), patterns or folders")
        ->required()
        ->group(here);
    app.add_option("--held-out", o.held_out, "share of the text that is never trained on")
        ->check(above_zero(0.9))
        ->group(here);
    app.add_option("--length", o.length, "tokens in a sequence; 0: all that the model sees")
        ->group(here);
    app.add_option("--device", o.device, "where to compute: auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
        ->group(here);
    app.add_option("--threads", o.threads, "to compute with; 0: as OMP_NUM_THREADS says")
        ->check(CLI::Range(0, 1024))
        ->group(here);
    app.add_option("--congestion", o.congestion, "TCP's congestion control: cubic, bbr, ...")
        ->group(here);
}

std::uint64_t configuration(const run_options& o)
{
    const auto m = preset(o.model);
    constexpr std::uint64_t version = 1;  // of what a round's state holds and how it is made
    return hash(version, m.vocabulary, m.context, m.layers, m.width, m.heads, o.seed,
                static_cast<std::uint64_t>(o.codec), std::bit_cast<std::uint32_t>(o.outer.rate),
                std::bit_cast<std::uint32_t>(o.outer.momentum));
}

device_kind device_named(std::string_view name)
{
    if (name == "cpu") return device_kind::cpu;
    return name == "cuda" ? device_kind::cuda : device_kind::automatic;
}

}  // namespace papilio::example
