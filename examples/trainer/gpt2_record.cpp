// What a GPT-2 trainer keeps in a checkpoint beside the weights.

#include "gpt2_trainer.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <nlohmann/json.hpp>

namespace papilio::example {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* config_name = "config.json";

/// The config as Hugging Face's GPT-2 has it.
std::string config_text(const gpt2_config& config)
{
    const bool has_end = config.vocabulary == 50257;  // GPT-2's own tokens end with <|endoftext|>
    const ordered_json end = has_end ? ordered_json(50256) : ordered_json(nullptr);
    const ordered_json text = {
        {"architectures", {"GPT2LMHeadModel"}},
        {"model_type", "gpt2"},
        {"vocab_size", config.vocabulary},
        {"n_positions", config.context},
        {"n_ctx", config.context},
        {"n_embd", config.width},
        {"n_layer", config.layers},
        {"n_head", config.heads},
        {"n_inner", nullptr},
        {"activation_function", "gelu_new"},
        {"resid_pdrop", 0.0},
        {"embd_pdrop", 0.0},
        {"attn_pdrop", 0.0},
        {"layer_norm_epsilon", 1e-5},
        {"initializer_range", 0.02},
        {"bos_token_id", end},
        {"eos_token_id", end},
        {"tie_word_embeddings", true},
        {"torch_dtype", "float32"},
    };
    return text.dump(2) + "\n";
}

gpt2_config config_from(const json& text)
{
    return {.vocabulary = text.at("vocab_size").get<std::size_t>(),
            .context = text.at("n_positions").get<std::size_t>(),
            .layers = text.at("n_layer").get<std::size_t>(),
            .width = text.at("n_embd").get<std::size_t>(),
            .heads = text.at("n_head").get<std::size_t>()};
}

gpt2_config config_of(const trainer_record& saved)
try {
    const auto text = saved.texts.find(config_name);
    return config_from(json::parse(text == saved.texts.end() ? std::string() : text->second));
} catch (const json::exception& why) {
    throw problem(errc::bad_message,
                  saved.source + " was not written by this program: " + why.what());
}

/// A moment of AdamW, one number for each weight.
std::span<const float> moment_in(const trainer_record& saved, const char* name, std::size_t size)
{
    const auto found = saved.tensors.find(name);
    if (found == saved.tensors.end() || found->second.size() != size)
        throw problem(errc::mismatch, saved.source + " lacks the tensor inner." + name + " of " +
                                          std::to_string(size) + " numbers");
    return found->second;
}

}  // namespace

void gpt2_trainer::save(trainer_record& to) const
{
    const auto copy = [](std::span<const float> from, std::vector<float>& into) {
        into.assign(from.begin(), from.end());
    };
    copy(optimizer_.first(), to.tensors["first"]);  // empty before the first update
    copy(optimizer_.second(), to.tensors["second"]);
    to.numbers["updates"] = static_cast<double>(optimizer_.updates());
    to.numbers["schedule/peak"] = options_.rate.peak;
    to.numbers["schedule/warm_up"] = static_cast<double>(options_.rate.warm_up);
    to.numbers["schedule/total"] = static_cast<double>(options_.rate.total);
    to.numbers["schedule/floor"] = options_.rate.floor;
    to.texts[config_name] = config_text(options_.model);
}

void gpt2_trainer::restore(const trainer_record& from)
{
    const gpt2_config saved = config_of(from);
    if (saved != options_.model)
        throw problem(errc::mismatch, from.source + " holds a model of " + describe(saved) +
                                          "; this run's model has " + describe(options_.model));
    const auto updates = from.numbers.find("updates");
    if (updates == from.numbers.end())
        throw problem(errc::bad_message, from.source + " lacks the number of updates");
    if (updates->second == 0) return optimizer_.restore(0, {}, {});
    const std::size_t size = model_.size();
    optimizer_.restore(static_cast<std::uint64_t>(updates->second), moment_in(from, "first", size),
                       moment_in(from, "second", size));
}

}  // namespace papilio::example
