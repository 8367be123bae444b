#include <trainer/gpt2_trainer.hpp>

#include "support.hpp"

#include <trainer/safetensors_file.hpp>
#include <trainer/threads.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

std::vector<float> copy(std::span<const float> values)
{
    return {values.begin(), values.end()};
}

void run(trainer& t, int steps)
{
    for (int i = 0; i < steps; ++i) t.step();
}

/// Trains 12 steps at once, and 7 + 5 with a restart between; returns whether all bits are equal.
bool restart_is_invisible(trainer_options options)
{
    const scratch_folder folder;
    trainer whole(options);
    run(whole, 12);
    {
        trainer killed(options);
        run(killed, 7);
        checkpoint_folder kept(folder.path());
        killed.save(kept);
        run(killed, 2);  // lost with the process
    }
    trainer resumed(options);
    resumed.resume(folder.path());
    CHECK(resumed.next_step() == 7);
    run(resumed, 5);
    return whole.digest() == resumed.digest() &&
           copy(whole.parameters()) == copy(resumed.parameters());
}

}  // namespace

TEST_CASE("training that is killed and resumed equals the uninterrupted run bit for bit",
          "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    options.rate.total = 10;
    SECTION("with one thread")
    {
        limit_threads(1);
        CHECK(restart_is_invisible(options));
    }
    SECTION("with two threads")
    {
        limit_threads(2);
        CHECK(restart_is_invisible(options));
        limit_threads(1);
    }
    SECTION("with accumulated gradients")
    {
        options.accumulation = 2;
        CHECK(restart_is_invisible(options));
    }
    SECTION("in bf16")
    {
        options.compute = precision::bf16;
        CHECK(restart_is_invisible(options));
    }
}

TEST_CASE("the model learns more than how often each letter occurs", "[trainer]")
{
    const scratch_folder folder;
    trainer t(tiny_options(folder));
    const double before = t.evaluate();
    CHECK(before == Approx(std::log(256.0)).epsilon(0.02));
    double last = 0;
    for (int i = 0; i < 150; ++i) last = t.step().loss;
    CHECK(last < before - 2);
    CHECK(t.evaluate() < t.held_out_entropy() - 0.3);
    CHECK(t.evaluate(3) == t.evaluate(3));
}

TEST_CASE("a step tells what it did", "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    options.accumulation = 3;
    trainer t(options);
    t.step();
    const step_report report = t.step();
    CHECK(report.step == 1);
    CHECK(report.loss == Approx(std::log(256.0)).epsilon(0.05));
    CHECK(report.gradient_norm > 0);
    CHECK(report.rate == Approx(3e-3 * 2 / 5));
    CHECK(report.tokens == 3 * 4 * 16);
    CHECK(report.tokens_per_second() > 0);
}

TEST_CASE("accumulated small batches train as one large batch", "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    trainer large(options);
    options.batch = 1;
    options.accumulation = 4;
    trainer small(options);
    for (int i = 0; i < 3; ++i) {
        const step_report a = large.step();
        const step_report b = small.step();
        CHECK(a.loss == Approx(b.loss).epsilon(1e-5));
        CHECK(a.gradient_norm == Approx(b.gradient_norm).epsilon(1e-4));
    }
}

TEST_CASE("peers start alike and draw batches of their own", "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    trainer first(options);
    trainer twin(options);
    options.peer = 1;
    trainer second(options);
    CHECK(first.digest() == second.digest());
    run(first, 2);
    run(twin, 2);
    run(second, 2);
    CHECK(first.digest() == twin.digest());
    CHECK(first.digest() != second.digest());
    second.set_parameters(first.parameters());
    CHECK(first.digest() == second.digest());
    CHECK(first.evaluate() == second.evaluate());
}

TEST_CASE("a validator repeats a peer's steps from its seed and number", "[trainer]")
{
    const scratch_folder folder;
    trainer_options options = tiny_options(folder);
    options.peer = 3;
    trainer miner(options);
    run(miner, 5);
    trainer validator(options);
    run(validator, 5);
    CHECK(validator.digest() == miner.digest());
}

TEST_CASE("weights that are replaced between steps keep the optimiser's moments", "[trainer]")
{
    const scratch_folder folder;
    const trainer_options options = tiny_options(folder);
    trainer plain(options);
    trainer synced(options);
    for (int i = 0; i < 4; ++i) {
        plain.step();
        synced.step();
        synced.set_parameters(copy(synced.parameters()));
    }
    CHECK(plain.digest() == synced.digest());
}

TEST_CASE("a peer that joins late continues at the group's step", "[trainer]")
{
    const scratch_folder folder;
    trainer t(tiny_options(folder));
    t.skip_to(100);
    const step_report report = t.step();
    CHECK(report.step == 100);
    CHECK(report.rate == 3e-3);
    CHECK(t.next_step() == 101);
}

TEST_CASE("training that diverges stops with a sentence and keeps the moments sound", "[trainer]")
{
    const scratch_folder folder;
    trainer t(tiny_options(folder));
    run(t, 2);
    const std::vector<float> sound = copy(t.parameters());
    std::vector<float> broken = sound;
    broken[5] = std::numeric_limits<float>::infinity();
    t.set_parameters(broken);
    CHECK(mentions(problem_of([&] { t.step(); }), "the loss of step 2 is not finite"));
    CHECK(t.next_step() == 2);
    t.set_parameters(sound);
    CHECK(std::isfinite(t.step().loss));
}

TEST_CASE("options that contradict each other are refused with their reason", "[trainer]")
{
    const scratch_folder folder;
    const auto refused = [&](auto change) {
        trainer_options options = tiny_options(folder);
        change(options);
        return problem_of([&] { trainer t(options); });
    };
    CHECK(mentions(refused([](auto& o) { o.length = 17; }), "exceed the model's context of 16"));
    CHECK(mentions(refused([](auto& o) { o.batch = 0; }), "at least 1"));
    CHECK(mentions(refused([](auto& o) { o.rate.peak = 0; }), "is above 0: it is 0"));
    CHECK(mentions(refused([](auto& o) { o.rate = {.warm_up = 10, .total = 10}; }),
                   "before its warm-up of 10 steps"));
    CHECK(mentions(refused([](auto& o) { o.held_out = 0.0001; }), "the data is too short"));
    CHECK(mentions(refused([](auto& o) { o.model.heads = 5; }), "32 is none of 5"));
}

TEST_CASE("a checkpoint's weights are stored as Hugging Face's GPT-2 stores them", "[trainer]")
{
    const scratch_folder folder;
    trainer t(tiny_options(folder));
    run(t, 1);
    checkpoint_folder kept(folder.path() / "run");
    const fs::path saved = t.save(kept);
    const safetensors_file weights(saved / "model.safetensors");
    weights.expect("transformer.wte.weight", {256, 32});
    weights.expect("transformer.wpe.weight", {16, 32});
    weights.expect("transformer.h.1.attn.c_attn.weight", {32, 96});
    weights.expect("transformer.h.1.attn.c_attn.bias", {96});
    weights.expect("transformer.h.1.attn.c_proj.weight", {32, 32});
    weights.expect("transformer.h.1.mlp.c_fc.weight", {32, 128});
    weights.expect("transformer.h.1.mlp.c_proj.weight", {128, 32});
    weights.expect("transformer.h.0.ln_2.weight", {32});
    weights.expect("transformer.ln_f.bias", {32});
    CHECK(weights.header().entries.size() == 2 + 2 * 12 + 2);
    CHECK(weights.header().find("lm_head.weight") == nullptr);

    const auto config = nlohmann::json::parse(content_of(saved / "config.json"));
    CHECK(config.at("architectures") == nlohmann::json{"GPT2LMHeadModel"});
    CHECK(config.at("n_embd") == 32);
    CHECK(config.at("n_layer") == 2);
    CHECK(config.at("n_positions") == 16);
    CHECK(config.at("activation_function") == "gelu_new");
    CHECK(config.at("tie_word_embeddings") == true);
}

TEST_CASE("the outer optimiser's state is kept with a checkpoint", "[trainer]")
{
    const scratch_folder folder;
    const trainer_options options = tiny_options(folder);
    trainer t(options);
    run(t, 1);
    const std::vector<float> anchor(t.size(), 0.25f);
    std::vector<float> momentum(t.size(), -1.5f);
    momentum.back() = 7;
    std::vector<float> unsent(t.size(), 0.125f);
    unsent.front() = 3;
    checkpoint_folder kept(folder.path() / "run");
    t.save(
        kept,
        {.round = 9, .anchor = anchor, .momentum = momentum, .residuals = unsent, .record = "{}"});
    trainer other(options);
    const outer_state outer = other.resume(folder.path() / "run");
    CHECK(outer.round == 9);
    CHECK(outer.anchor == anchor);
    CHECK(outer.momentum == momentum);
    CHECK(outer.residuals == unsent);
    CHECK(outer.record == "{}");
    t.save(kept);
    CHECK(other.resume(folder.path() / "run").record.empty());
    CHECK(other.resume(folder.path() / "run").momentum.empty());
    CHECK(other.resume(folder.path() / "run").residuals.empty());
}

TEST_CASE("a snapshot that is saved while training goes on is the training as it was", "[trainer]")
{
    const scratch_folder folder;
    const trainer_options options = tiny_options(folder);
    trainer whole(options);
    run(whole, 12);
    trainer t(options);
    training_snapshot then;
    t.take_snapshot(then);
    CHECK(then.own.tensors["first"].empty());
    run(t, 7);
    t.take_snapshot(then);
    checkpoint_folder kept(folder.path() / "run");
    std::thread saving([&] { t.save_snapshot(kept, then.view()); });
    run(t, 5);
    saving.join();
    CHECK(t.digest() == whole.digest());
    trainer resumed(options);
    resumed.resume(folder.path() / "run");
    CHECK(resumed.next_step() == 7);
    run(resumed, 5);
    CHECK(resumed.digest() == whole.digest());
}

TEST_CASE("a checkpoint taken before the first step resets a trainer", "[trainer]")
{
    const scratch_folder folder;
    const trainer_options options = tiny_options(folder);
    trainer fresh(options);
    checkpoint_folder kept(folder.path() / "run");
    fresh.save(kept);
    trainer used(options);
    run(used, 3);
    used.resume(folder.path() / "run");
    run(used, 2);
    run(fresh, 2);
    CHECK(used.digest() == fresh.digest());
}

TEST_CASE("a checkpoint that does not fit is refused and nothing changes", "[trainer]")
{
    const scratch_folder folder;
    const trainer_options options = tiny_options(folder);
    const fs::path run_folder = folder.path() / "run";
    trainer made(options);
    run(made, 2);
    checkpoint_folder kept(run_folder);
    const fs::path saved = made.save(kept);
    const auto refused = [&](trainer_options changed) {
        trainer t(changed);
        const std::string before = t.digest();
        const std::string sentence = problem_of([&] { t.resume(run_folder); });
        CHECK(t.digest() == before);
        CHECK(t.next_step() == 0);
        return sentence;
    };
    trainer_options changed = options;
    changed.model.layers = 3;
    CHECK(refused(changed) ==
          "the checkpoint " + saved.string() +
              " holds a model of 2 layers, width 32, 2 heads, vocabulary 256, context 16; this "
              "run's model has 3 layers, width 32, 2 heads, vocabulary 256, context 16");
    changed = options;
    changed.batch = 5;
    CHECK(mentions(refused(changed), "was made with batch 4, this run has 5"));
    changed = options;
    changed.data = {folder.file("other.txt", small_text(30'000))};
    CHECK(mentions(refused(changed), "was made with tokens_of_data 20000, this run has 30000"));

    fs::resize_file(saved / "optimizer.safetensors", 100);
    CHECK(mentions(refused(options), "optimizer.safetensors is damaged: it has 100 bytes"));
    fs::remove(saved / "optimizer.safetensors");
    CHECK(mentions(refused(options), "optimizer.safetensors: No such file or directory"));
    fs::remove_all(run_folder);
    CHECK(mentions(refused(options), "there is no checkpoint in"));
}

TEST_CASE("a token that the model does not know is found before the first step", "[trainer]")
{
    const scratch_folder folder;
    std::vector<std::uint16_t> tokens(512 + 20'000, 7);
    const std::int32_t header[] = {20240520, 1, 20'000};
    std::memcpy(tokens.data(), header, sizeof header);
    tokens[512 + 12'345] = 256;
    trainer_options options = tiny_options(folder);
    options.data = {
        folder.file("x.bin", {reinterpret_cast<const char*>(tokens.data()), 2 * tokens.size()})};
    CHECK(mentions(problem_of([&] { trainer t(options); }), "holds token 256 at byte 25714"));
}

TEST_CASE("text for a model of many tokens is remarked on", "[trainer]")
{
    const scratch_folder folder;
    auto options = tiny_options(folder);
    CHECK(remark_on_data(gpt2_trainer(options), "tiny").empty());
    options.model.vocabulary = 50257;
    CHECK(mentions(remark_on_data(gpt2_trainer(options), "tiny"),
                   "the data is text, so that its bytes are the tokens, 256 of the 50257 that tiny "
                   "knows"));
}
