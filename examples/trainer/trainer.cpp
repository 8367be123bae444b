#include "trainer.hpp"

#include "digest.hpp"
#include "problem.hpp"
#include "transformers_gpt2.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace papilio::example {

namespace {

/// Options that make sense together, with defaults filled in.
trainer_options checked(trainer_options options)
{
    check(options.model);
    if (options.length == 0) options.length = options.model.context;
    if (options.length > options.model.context)
        throw problem(errc::bad_argument, "sequences of " + std::to_string(options.length) +
                                              " tokens exceed the model's context of " +
                                              std::to_string(options.model.context));
    if (options.batch == 0)
        throw problem(errc::bad_argument, "trainer_options::batch is at least 1: it is 0");
    if (options.accumulation == 0)
        throw problem(errc::bad_argument, "trainer_options::accumulation is at least 1: it is 0");
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
                  const trainer_options& options, std::vector<std::int64_t>& tokens)
{
    const std::size_t row = options.length + 1;
    tokens.resize(begins.size() * row);
    for (std::size_t i = 0; i < begins.size(); ++i)
        text.read(begins[i], std::span(tokens).subspan(i * row, row), options.model.vocabulary);
}

std::vector<float> first_weights(const trainer_options& options)
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

trainer::trainer(const trainer_options& options)
    : options_(checked(options)),
      text_(options_.data),
      split_(split_tokens(text_.size(), options_.held_out, options_.length)),
      model_(options_.model, options_.device, options_.compute),
      optimizer_(model_, options_.optimizer)
{
    text_.check_tokens(options_.model.vocabulary);
    model_.write(first_weights(options_));
}

step_report trainer::step()
{
    using clock = std::chrono::steady_clock;
    const clock::time_point start = clock::now();
    step_report report{.step = next_step_, .rate = options_.rate.rate(next_step_)};
    const std::size_t rows = options_.batch * options_.accumulation;
    const std::vector<std::uint64_t> begins =
        windows(options_.seed, options_.peer, next_step_, rows, options_.length, split_.train);
    const double weight = 1.0 / static_cast<double>(options_.accumulation);
    for (std::size_t i = 0; i < options_.accumulation; ++i) {
        const auto part = std::span(begins).subspan(i * options_.batch, options_.batch);
        read_windows(text_, part, options_, tokens_);
        report.loss += weight * model_.accumulate(tokens_, options_.batch, weight);
    }
    report.gradient_norm = optimizer_.step(report.rate);
    if (!std::isfinite(report.loss)) not_finite("loss", next_step_);
    if (!std::isfinite(report.gradient_norm)) not_finite("gradient", next_step_);
    ++next_step_;
    report.tokens = rows * options_.length;
    report.seconds = std::chrono::duration<double>(clock::now() - start).count();
    return report;
}

double trainer::evaluate(std::size_t most) const
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
    return sum / static_cast<double>(begins.size());
}

std::size_t trainer::evaluated_sequences(std::size_t most) const
{
    return evaluation_windows(options_.length, most, split_.held_out).size();
}

double trainer::held_out_entropy() const
{
    return unigram_entropy(text_, split_.held_out, options_.model.vocabulary);
}

std::string trainer::digest() const
{
    return sha256_hex(std::as_bytes(parameters()));
}

}  // namespace papilio::example
