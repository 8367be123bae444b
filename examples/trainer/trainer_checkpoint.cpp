// How a trainer is saved and resumed: which of its numbers go into which file.

#include "checkpoint.hpp"
#include "problem.hpp"
#include "safetensors_file.hpp"
#include "trainer.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>

namespace papilio::example {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* weights_name = "model.safetensors";
constexpr const char* optimizer_name = "optimizer.safetensors";
constexpr const char* record_name = "record.json";

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

/// What must be the same on both sides of a restart, or other batches would be drawn.
json draws(const trainer_options& options, std::uint64_t tokens)
{
    return {{"seed", options.seed},     {"peer", options.peer},
            {"batch", options.batch},   {"accumulation", options.accumulation},
            {"length", options.length}, {"held_out", options.held_out},
            {"tokens_of_data", tokens}};
}

void compare_draws(const std::filesystem::path& folder, const json& then, const json& now)
{
    for (const auto& [name, value] : now.items())
        if (then.at(name) != value)
            throw problem(errc::mismatch, "the checkpoint " + folder.string() + " was made with " +
                                              name + " " + then.at(name).dump() +
                                              ", this run has " + value.dump() +
                                              ": use the same, or start anew elsewhere");
}

std::vector<named_tensor> weight_tensors(const gpt2_config& config, std::span<const float> flat)
{
    std::vector<named_tensor> tensors;
    for (const parameter& p : layout(config))
        tensors.push_back({p.name, p.shape, flat.subspan(p.offset, p.size)});
    return tensors;
}

void expect_weights(const safetensors_file& from, const gpt2_config& config)
{
    std::set<std::string> known;
    for (const parameter& p : layout(config)) {
        from.expect(p.name, p.shape);
        known.insert(p.name);
    }
    for (const safetensors_entry& entry : from.header().entries)
        if (!known.contains(entry.name))
            throw problem(errc::mismatch, "the checkpoint holds the tensor " + entry.name +
                                              ", which the model does not have");
}

std::vector<float> read_weights(const safetensors_file& from, const gpt2_config& config)
{
    std::vector<float> flat(parameter_count(config));
    for (const parameter& p : layout(config))
        from.read(p.name, std::span(flat).subspan(p.offset, p.size));
    return flat;
}

std::vector<float> read_vector(const safetensors_file& from, std::string_view name,
                               std::size_t count)
{
    from.expect(name, {count});
    std::vector<float> values(count);
    from.read(name, values);
    return values;
}

/// The numbers of `state.json`.
struct progress {
    std::uint64_t step = 0;
    std::uint64_t updates = 0;
    std::uint64_t round = 0;
};

/// Reads them, once model and draws have been found to be those of this run.
progress read_progress(const checkpoint_reader& from, const gpt2_config& model, const json& draws)
{
    try {
        const gpt2_config config = config_from(json::parse(from.text("config.json")));
        if (config != model)
            throw problem(errc::mismatch, "the checkpoint " + from.folder().string() +
                                              " holds a model of " + describe(config) +
                                              "; this run's model has " + describe(model));
        const json state = json::parse(from.text("state.json"));
        compare_draws(from.folder(), state.at("draws"), draws);
        return {.step = state.at("step").get<std::uint64_t>(),
                .updates = state.at("updates").get<std::uint64_t>(),
                .round = state.at("round").get<std::uint64_t>()};
    } catch (const json::exception& why) {
        throw problem(errc::bad_message, "the checkpoint " + from.folder().string() +
                                             " was not written by this program: " + why.what());
    }
}

}  // namespace

void trainer::take_snapshot(trainer_snapshot& to) const
{
    const auto copy = [](std::span<const float> from, std::vector<float>& into) {
        into.assign(from.begin(), from.end());
    };
    to.next_step = next_step_;
    to.updates = optimizer_.updates();
    copy(parameters(), to.weights);
    copy(optimizer_.first(), to.first);
    copy(optimizer_.second(), to.second);
}

std::filesystem::path trainer::save(checkpoint_folder& in, const outer_view& outer,
                                    std::size_t keep) const
{
    const trainer_view now{next_step_, optimizer_.updates(), parameters(), optimizer_.first(),
                           optimizer_.second()};
    return save_snapshot(in, now, outer, keep);
}

std::filesystem::path trainer::save_snapshot(checkpoint_folder& in, const trainer_view& then,
                                             const outer_view& outer, std::size_t keep) const
{
    checkpoint_writer writer(in);
    writer.add("config.json", config_text(options_.model));
    writer.add(weights_name, [&](const checkpoint_writer::sink& put) {
        write_safetensors(weight_tensors(options_.model, then.weights), put);
    });
    writer.add(optimizer_name, [&](const checkpoint_writer::sink& put) {
        std::vector<named_tensor> tensors;
        const auto add = [&](const char* name, std::span<const float> values) {
            if (!values.empty()) tensors.push_back({name, {values.size()}, values});
        };
        add("inner.first", then.first);
        add("inner.second", then.second);
        add("outer.anchor", outer.anchor);
        add("outer.momentum", outer.momentum);
        add("outer.unsent", outer.residuals);
        write_safetensors(std::move(tensors), put);
    });
    const ordered_json state = {
        {"step", then.next_step},
        {"updates", then.updates},
        {"round", outer.round},
        {"draws", draws(options_, text_.size())},
        {"schedule",
         {{"peak", options_.rate.peak},
          {"warm_up", options_.rate.warm_up},
          {"total", options_.rate.total},
          {"floor", options_.rate.floor}}},
    };
    writer.add("state.json", state.dump(2) + "\n");
    if (!outer.record.empty()) writer.add(record_name, outer.record);
    return writer.commit(keep);
}

outer_state trainer::resume(const std::filesystem::path& directory)
{
    // Everything is read and compared before anything of this trainer changes.
    const checkpoint_reader reader(directory);
    const progress at = read_progress(reader, options_.model, draws(options_, text_.size()));
    const safetensors_file weights(reader.folder() / weights_name);
    expect_weights(weights, options_.model);
    const std::vector<float> flat = read_weights(weights, options_.model);
    const safetensors_file optimizers(reader.folder() / optimizer_name);
    const auto read = [&](const char* name, bool present) {
        return present ? read_vector(optimizers, name, size()) : std::vector<float>{};
    };
    const auto read_if_there = [&](const char* name) {
        return read(name, optimizers.header().find(name) != nullptr);
    };
    outer_state outer{.round = at.round,
                      .anchor = read_if_there("outer.anchor"),
                      .momentum = read_if_there("outer.momentum"),
                      .residuals = read_if_there("outer.unsent"),
                      .record = {}};
    if (reader.has(record_name)) outer.record = reader.text(record_name);
    const std::vector<float> first = read("inner.first", at.updates > 0);
    const std::vector<float> second = read("inner.second", at.updates > 0);

    model_.write(flat);
    optimizer_.restore(at.updates, first, second);
    next_step_ = at.step;
    return outer;
}

}  // namespace papilio::example
