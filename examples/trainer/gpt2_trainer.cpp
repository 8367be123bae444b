#include "gpt2_trainer.hpp"

#include "problem.hpp"
#include "transformers_gpt2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace papilio::example {

namespace {

/// Options that make sense together, with defaults filled in.
gpt2_options checked(gpt2_options options)
{
    check(options.model);
    if (options.length == 0) options.length = options.model.context;
    if (options.length > options.model.context)
        throw problem(errc::bad_argument, "sequences of " + std::to_string(options.length) +
                                              " tokens exceed the model's context of " +
                                              std::to_string(options.model.context));
    if (options.batch == 0)
        throw problem(errc::bad_argument, "gpt2_options::batch is at least 1: it is 0");
    if (options.accumulation == 0)
        throw problem(errc::bad_argument, "gpt2_options::accumulation is at least 1: it is 0");
    if (!(options.rate.peak > 0))
        throw problem(errc::bad_argument, "the peak of the learning rate is above 0: it is " +
                                              std::to_string(options.rate.peak));
    if (options.rate.total != 0 && options.rate.total <= options.rate.warm_up)
        throw problem(errc::bad_argument,
                      "the schedule ends at step " + std::to_string(options.rate.total) +
                          ", before its warm-up of " + std::to_string(options.rate.warm_up) +
                          " steps: shorten the warm-up");
    return options;
}

/// Reads the windows that begin at `begins`, row by row.
void read_windows(const corpus& text, std::span<const std::uint64_t> begins,
                  const gpt2_options& options, std::vector<std::int64_t>& tokens)
{
    const std::size_t row = options.length + 1;
    tokens.resize(begins.size() * row);
    for (std::size_t i = 0; i < begins.size(); ++i)
        text.read(begins[i], std::span(tokens).subspan(i * row, row), options.model.vocabulary);
}

std::vector<float> first_weights(const gpt2_options& options)
{
    if (!options.init.empty()) return read_transformers_gpt2(options.init, options.model);
    std::vector<float> first(parameter_count(options.model));
    initialise(options.model, options.seed, first);
    return first;
}

[[noreturn]] void not_finite(const char* what, std::uint64_t step)
{
    throw problem(errc::not_finite, std::string("the ") + what + " of step " +
                                        std::to_string(step) +
                                        " is not finite: training has diverged; lower the "
                                        "learning rate or lengthen its warm-up");
}

}  // namespace

gpt2_trainer::gpt2_trainer(const gpt2_options& options)
    : options_(checked(options)),
      text_(options_.data),
      split_(split_tokens(text_.size(), options_.held_out, options_.length)),
      model_(options_.model, options_.device, options_.compute),
      optimizer_(model_, options_.optimizer)
{
    text_.check_tokens(options_.model.vocabulary);
    model_.write(first_weights(options_));
}

step_result gpt2_trainer::step(data_place at)
{
    step_result result{.rate = options_.rate.rate(at.step)};
    const std::size_t rows = options_.batch * options_.accumulation;
    const std::vector<std::uint64_t> begins =
        windows(options_.seed, at.peer, at.step, rows, options_.length, split_.train);
    const double weight = 1.0 / static_cast<double>(options_.accumulation);
    for (std::size_t i = 0; i < options_.accumulation; ++i) {
        const auto part = std::span(begins).subspan(i * options_.batch, options_.batch);
        read_windows(text_, part, options_, tokens_);
        result.loss += weight * model_.accumulate(tokens_, options_.batch, weight);
    }
    result.gradient_norm = optimizer_.step(result.rate);
    if (!std::isfinite(result.loss)) not_finite("loss", at.step);
    if (!std::isfinite(result.gradient_norm)) not_finite("gradient", at.step);
    result.tokens = rows * options_.length;
    return result;
}

held_out_loss gpt2_trainer::evaluate(std::size_t most)
{
    const std::vector<std::uint64_t> begins =
        evaluation_windows(options_.length, most, split_.held_out);
    std::vector<std::int64_t> tokens;
    double sum = 0;
    for (std::size_t at = 0; at < begins.size(); at += options_.batch) {
        const std::size_t rows = std::min(options_.batch, begins.size() - at);
        read_windows(text_, std::span(begins).subspan(at, rows), options_, tokens);
        sum += model_.loss(tokens, rows) * static_cast<double>(rows);
    }
    return {sum / static_cast<double>(begins.size()), begins.size()};
}

named_values gpt2_trainer::draws() const
{
    return {{"seed", std::to_string(options_.seed)},
            {"batch", std::to_string(options_.batch)},
            {"accumulation", std::to_string(options_.accumulation)},
            {"length", std::to_string(options_.length)},
            {"held_out", fmt::to_string(options_.held_out)},
            {"tokens_of_data", std::to_string(text_.size())}};
}

std::vector<named_shape> gpt2_trainer::layout() const
{
    std::vector<named_shape> all;
    for (const parameter& p : example::layout(options_.model)) all.push_back({p.name, p.shape});
    return all;
}

double gpt2_trainer::unigram_entropy()
{
    return example::unigram_entropy(text_, split_.held_out, options_.model.vocabulary);
}

trainer_notes gpt2_trainer::notes() const
{
    trainer_notes notes{
        .model = fmt::format("{}: {}, {} parameters, on {}", options_.name,
                             describe(options_.model), model_.size(), model_.where()),
        .warning = remark_on_data(*this, options_.name)};
    if (!options_.init.empty())
        notes.first_weights = "the first weights are those in " + options_.init.string();
    return notes;
}

std::string remark_on_data(const gpt2_trainer& t, const std::string& preset)
{
    if (!t.wastes_vocabulary()) return {};
    return fmt::format(
        "the data is text, so that its bytes are the tokens, 256 of the {} that {} knows: most of "
        "its vocabulary stays unused, and a sequence is a fourth as long as it could be. Turn the "
        "text into *.bin shards of tokens first: docs/reference/miner.md says how",
        t.options().model.vocabulary, preset);
}

}  // namespace papilio::example
