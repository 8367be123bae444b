#pragma once

#include <trainer/gpt2_trainer.hpp>
#include <trainer/problem.hpp>
#include <trainer/training.hpp>

#include <papilio/base/random.hpp>

#include "support/scratch_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

namespace papilio::example {

using test::scratch_folder;

inline std::string content_of(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The sentence of the `problem` that `action` throws; empty when it throws none.
template <class Action>
std::string problem_of(Action action)
{
    try {
        action();
    } catch (const problem& why) {
        return why.what();
    }
    return {};
}

inline bool mentions(std::string_view sentence, std::string_view words)
{
    return sentence.find(words) != std::string_view::npos;
}

/// Sentences of few words: enough structure for a small model to learn within seconds.
inline std::string small_text(std::size_t size)
{
    static constexpr std::string_view words[] = {
        "the ", "light ", "and ", "darkness ", "of ", "earth ", "was ", "god ", "upon ", "waters "};
    random numbers(7);
    std::string text;
    while (text.size() < size) text += words[numbers.below(std::size(words))];
    text.resize(size);
    return text;
}

/// A GPT-2 trainer's options, and whose data it draws.
struct trainer_options : gpt2_options {
    std::uint64_t peer = 0;
};

/// A GPT-2 in training, as a miner has it.
class trainer final : public training {
public:
    explicit trainer(const trainer_options& o)
        : training(std::make_unique<gpt2_trainer>(o), o.peer), options_(o)
    {
    }

    const trainer_options& options() const { return options_; }
    double evaluate(std::size_t most = 0) { return training::evaluate(most).loss; }
    double held_out_entropy() { return of().unigram_entropy(); }

private:
    trainer_options options_;
};

inline gpt2_config tiny_model()
{
    return {.vocabulary = 256, .context = 16, .layers = 2, .width = 32, .heads = 2};
}

/// A tiny model on `small_text`, which is written to `folder`.
inline trainer_options tiny_options(const scratch_folder& folder)
{
    trainer_options options;
    options.model = tiny_model();
    options.data = {folder.file("text.txt", small_text(20'000))};
    options.batch = 4;
    options.rate = {.peak = 3e-3, .warm_up = 5, .total = 0, .floor = 0.1};
    options.device = device_kind::cpu;
    return options;
}

}  // namespace papilio::example
