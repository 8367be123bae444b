#include "transformers_gpt2.hpp"

#include "file.hpp"
#include "problem.hpp"
#include "safetensors_file.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace papilio::example {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view transformers_prefix = "transformer.";
constexpr const char* head = "lm_head.weight";

json read_config(const fs::path& path)
{
    const file opened(path, file::mode::read);
    if (opened.size() > (1 << 20))
        throw problem(errc::bad_message, path.string() + " is too large to be genuine");
    std::string text(opened.size(), '\0');
    opened.read(0, std::as_writable_bytes(std::span(text)));
    json config = json::parse(text, nullptr, false);
    if (!config.is_object()) throw problem(errc::bad_message, path.string() + " is no JSON object");
    return config;
}

/// Where the config says something else than what this trainer computes. What it does not say is
/// transformers' default.
std::vector<std::string> differences(const json& config, const gpt2_config& model)
{
    struct expectation {
        const char* key;
        json value;
        json standard;
    };
    const expectation all[] = {
        {"model_type", "gpt2", "gpt2"},
        {"vocab_size", model.vocabulary, 50257},
        {"n_positions", model.context, 1024},
        {"n_embd", model.width, 768},
        {"n_layer", model.layers, 12},
        {"n_head", model.heads, 12},
        {"activation_function", "gelu_new", "gelu_new"},
        {"layer_norm_epsilon", 1e-5, 1e-5},
        {"tie_word_embeddings", true, true},
        {"scale_attn_weights", true, true},
        {"scale_attn_by_inverse_layer_idx", false, false},
        {"add_cross_attention", false, false},
    };
    std::vector<std::string> found;
    const auto compare = [&](const char* key, const json& has, const json& value) {
        if (has != value)
            found.push_back(std::string(key) + " is " + has.dump() + ", not " + value.dump());
    };
    for (const auto& [key, value, standard] : all) compare(key, config.value(key, standard), value);
    const json inner = config.value("n_inner", json());
    if (!inner.is_null()) compare("n_inner", inner, 4 * model.width);
    return found;
}

/// The name of a parameter in this file.
std::string name_in(const safetensors_file& from, const parameter& p)
{
    const bool shortened = from.header().find("wte.weight") != nullptr;
    return shortened ? p.name.substr(transformers_prefix.size()) : p.name;
}

/// Masks, which older versions have saved as well.
bool is_mask(std::string_view name)
{
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

std::vector<float> read_tensor(const safetensors_file& from, const std::string& name,
                               const std::vector<std::size_t>& shape)
{
    std::vector<float> values(shape[0] * shape[1]);
    from.read(name, values);
    return values;
}

std::vector<std::string> differences(const safetensors_file& from, const gpt2_config& model)
{
    std::vector<std::string> found;
    std::set<std::string> known;
    const auto parameters = layout(model);
    for (const parameter& p : parameters) {
        const std::string name = name_in(from, p);
        known.insert(name);
        if (auto why = from.objection_to(name, p.shape); !why.empty())
            found.push_back(std::move(why));
    }
    const parameter& embedding = parameters.front();  // to which the head is tied
    for (const safetensors_entry& entry : from.header().entries) {
        if (known.contains(entry.name) || is_mask(entry.name)) continue;
        if (entry.name != head)
            found.push_back("the model has no tensor " + entry.name);
        else if (auto why = from.objection_to(head, embedding.shape); !why.empty())
            found.push_back(std::move(why));
        else if (found.empty() && read_tensor(from, head, embedding.shape) !=
                                      read_tensor(from, name_in(from, embedding), embedding.shape))
            found.push_back("the head is not tied: lm_head.weight differs from " +
                            name_in(from, embedding));
    }
    return found;
}

void refuse_if_any(const std::vector<std::string>& differences, const fs::path& folder,
                   const gpt2_config& model)
{
    if (differences.empty()) return;
    std::string all;
    for (const auto& one : differences) all += (all.empty() ? "" : "; ") + one;
    throw problem(errc::mismatch, "the model in " + folder.string() + " is not the one of " +
                                      describe(model) + " (--preset): " + all);
}

fs::path weights_in(const fs::path& folder)
{
    const fs::path weights = folder / "model.safetensors";
    if (fs::exists(weights)) return weights;
    std::string why = "there is no model.safetensors in " + folder.string();
    if (fs::exists(folder / "model.safetensors.index.json"))
        why += ", but a model in several files: save it as one, with max_shard_size=\"100GB\"";
    else if (fs::exists(folder / "pytorch_model.bin"))
        why += ", but a pytorch_model.bin: load it with transformers and save_pretrained it";
    throw problem(std::make_error_code(std::errc::no_such_file_or_directory), why);
}

}  // namespace

std::vector<float> read_transformers_gpt2(const fs::path& folder, const gpt2_config& config)
{
    refuse_if_any(differences(read_config(folder / "config.json"), config), folder, config);
    const safetensors_file from(weights_in(folder));
    refuse_if_any(differences(from, config), folder, config);
    std::vector<float> flat(parameter_count(config));
    for (const parameter& p : layout(config))
        from.read(name_in(from, p), std::span(flat).subspan(p.offset, p.size));
    return flat;
}

}  // namespace papilio::example
