#include <trainer/transformers_gpt2.hpp>

#include "support.hpp"

#include <trainer/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <map>

using namespace papilio::example;

namespace {

using tensors = std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>>;

/// A model as OpenAI's own are stored: names without "transformer.", and masks.
struct saved_model {
    saved_model()
    {
        weights.resize(parameter_count(tiny_model()));
        initialise(tiny_model(), 7, weights);
        for (const auto& p : layout(tiny_model())) {
            const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(p.offset);
            const auto end = begin + static_cast<std::ptrdiff_t>(p.size);
            held[p.name.substr(std::string("transformer.").size())] = {p.shape, {begin, end}};
        }
        held["h.0.attn.bias"] = {{1, 1, 16, 16}, std::vector<float>(256)};
        held["lm_head.weight"] = held["wte.weight"];
    }

    std::vector<float> read() const
    {
        folder.file("config.json", config.dump());
        std::vector<named_tensor> all;
        for (const auto& [name, tensor] : held) all.push_back({name, tensor.first, tensor.second});
        std::string file;
        write_safetensors(std::move(all), [&](papilio::bytes piece) {
            file.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        });
        folder.file("model.safetensors", file);
        return read_transformers_gpt2(folder.path(), tiny_model());
    }

    scratch_folder folder;
    nlohmann::json config = {{"model_type", "gpt2"}, {"vocab_size", 256}, {"n_positions", 16},
                             {"n_embd", 32},         {"n_layer", 2},      {"n_head", 2}};
    std::vector<float> weights;
    tensors held;
};

}  // namespace

TEST_CASE("a model as OpenAI's are stored gives its weights in the order of the layout",
          "[trainer]")
{
    saved_model m;
    CHECK(m.read() == m.weights);
    m.held.erase("lm_head.weight");
    CHECK(m.read() == m.weights);
}

TEST_CASE("what a checkpoint holds is a model that can be begun with", "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    trainer t(options);
    t.step();
    checkpoint_folder kept(folder.path() / "kept");
    options.init = t.save(kept);
    options.seed = 5;
    CHECK(trainer(options).digest() == t.digest());
}

TEST_CASE("every difference of a model's config is named", "[trainer]")
{
    saved_model m;
    m.config["n_layer"] = 3;
    m.config["activation_function"] = "relu";
    m.config["n_inner"] = 64;
    m.config["scale_attn_by_inverse_layer_idx"] = true;
    m.config.erase("n_head");
    CHECK(problem_of([&] { m.read(); }) ==
          "the model in " + m.folder.path().string() + " is not the one of " +
              describe(tiny_model()) +
              " (--preset): n_layer is 3, not 2; n_head is 12, not 2; activation_function is "
              "\"relu\", not \"gelu_new\"; scale_attn_by_inverse_layer_idx is true, not false; "
              "n_inner is 64, not 128");
}

TEST_CASE("every difference of a model's tensors is named", "[trainer]")
{
    saved_model m;
    m.held["h.0.attn.c_attn.weight"].first = {96, 32};
    m.held["h.1.mlp.c_fc.bias"] = {{127}, std::vector<float>(127)};
    m.held["h.2.ln_1.bias"] = {{32}, std::vector<float>(32)};
    m.held.erase("ln_f.bias");
    const auto sentence = problem_of([&] { m.read(); });
    CHECK(mentions(sentence,
                   "the tensor h.0.attn.c_attn.weight is 96 x 32, but the model needs 32 "
                   "x 96: it is transposed; "));
    CHECK(mentions(sentence, "the tensor h.1.mlp.c_fc.bias is 127, but the model needs 128; "));
    CHECK(mentions(sentence, "the tensor ln_f.bias is missing; "));
    CHECK(mentions(sentence, "the model has no tensor h.2.ln_1.bias"));
}

TEST_CASE("a head that is not tied to the embedding is refused", "[trainer]")
{
    saved_model m;
    m.held["lm_head.weight"].second[5] += 1;
    CHECK(mentions(problem_of([&] { m.read(); }),
                   "the head is not tied: lm_head.weight differs from wte.weight"));
}

TEST_CASE("a model that is stored in another way is refused with the way to store it", "[trainer]")
{
    const scratch_folder folder;
    const auto refused = [&] {
        return problem_of([&] { read_transformers_gpt2(folder.path(), tiny_model()); });
    };
    CHECK(mentions(refused(), "config.json: No such file"));
    folder.file("config.json", "[]");
    CHECK(mentions(refused(), "config.json is no JSON object"));
    folder.file("config.json", saved_model().config.dump());
    CHECK(refused() == "there is no model.safetensors in " + folder.path().string());
    folder.file("pytorch_model.bin", "");
    CHECK(mentions(refused(), "but a pytorch_model.bin: load it with transformers"));
    folder.file("model.safetensors.index.json", "");
    CHECK(mentions(refused(), "but a model in several files"));
}
