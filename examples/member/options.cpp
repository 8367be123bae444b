#include "options.hpp"

#include "checks.hpp"
#include "logging.hpp"

#include <papilio/base/random.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

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

    const std::string here = "This machine";
    app.add_option("--congestion", o.congestion, "congestion control of TCP: cubic, bbr, ...")
        ->group(here);
    add_log(app, o.log, here);
}

std::uint64_t configuration(const run_options& o)
{
    constexpr std::uint64_t version = 3;  // of the state's layout and computation, of rounds, and
                                          // of this: from 3 on it is that of the settings
    std::uint64_t all = hash(version);
    const auto add = [&all](const std::string& text) {
        all = hash(all, text.size());
        for (const char c : text) all = hash(all, static_cast<unsigned char>(c));
    };
    for (const auto& s : settings(o)) {
        add(s.name);
        add(s.value);
    }
    return all;
}

std::vector<wire::setting> settings(const run_options& o)
{
    std::vector<wire::setting> all;
    for (const auto& [name, value] : o.model) all.push_back({name, value});
    all.push_back({"--codec", std::string(name(o.codec))});
    all.push_back({"--outer-lr", fmt::format("{}", o.outer.rate)});
    all.push_back({"--outer-momentum", fmt::format("{}", o.outer.momentum)});
    return all;
}

}  // namespace papilio::example
