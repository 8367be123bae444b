#include <trainer/training.hpp>

#include "support.hpp"

#include <trainer/safetensors_file.hpp>

#include <papilio/base/error.hpp>

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

using namespace papilio::example;
namespace pa = papilio;
namespace fs = std::filesystem;

namespace {

/// Adds to each of its parameters a number that the place decides on, and counts.
struct counting_trainer final : pa::trainer {
    std::span<const float> parameters() const override { return values; }
    void set_parameters(std::span<const float> v) override { values.assign(v.begin(), v.end()); }

    pa::step_result step(pa::data_place at) override
    {
        if (at.step == fails_at) throw std::runtime_error("the data is gone");
        for (float& v : values) v += static_cast<float>(10 * at.peer + at.step);
        ++updates;
        return {.loss = at.step == diverges_at ? std::nan("") : 1.5, .tokens = 8};
    }
    pa::held_out_loss evaluate(std::size_t most) override
    {
        if (most == 7) throw std::runtime_error("the data is gone");
        return {0.5, most};
    }

    void save(pa::trainer_record& to) const override
    {
        to.tensors["moment"] = {0.25f, -3};
        to.numbers["updates"] = updates;
        to.numbers["schedule/peak"] = 0.125;
        to.texts["words.txt"] = words;
    }
    void restore(const pa::trainer_record& from) override
    {
        if (from.texts.at("words.txt").empty()) throw std::runtime_error("it has no words");
        restored = from;
    }
    pa::named_values draws() const override { return {{"batch", batch}}; }
    std::vector<pa::named_shape> layout() const override { return pieces; }

    std::vector<float> values = {1, 2, 3, 4, 5, 6};
    double updates = 0;
    std::string words = "one two";
    std::string batch = "4";
    std::vector<pa::named_shape> pieces;
    std::uint64_t fails_at = 100, diverges_at = 100;
    pa::trainer_record restored;
};

/// One in training, of peer 3 unless told otherwise.
struct counted {
    explicit counted(std::uint64_t peer = 3) : it(new counting_trainer), all(owned(it), peer) {}

    static std::unique_ptr<pa::trainer> owned(counting_trainer* t)
    {
        return std::unique_ptr<pa::trainer>(t);
    }

    counting_trainer* it;
    training all;
};

}  // namespace

TEST_CASE("steps are counted for the trainer, which is told the place of each", "[trainer]")
{
    counted t;
    CHECK(t.all.step().step == 0);
    t.all.skip_to(9);
    const auto report = t.all.step();
    CHECK(report.step == 9);
    CHECK(report.tokens == 8);
    CHECK(std::isnan(report.rate));
    CHECK(t.all.parameters()[0] == 1 + 30 + 39);
    CHECK(t.all.next_step() == 10);
}

TEST_CASE("whatever a trainer throws is a sentence for its user, and no fault of others",
          "[trainer]")
{
    counted t;
    t.it->fails_at = 0;
    CHECK(problem_of([&] { t.all.step(); }) == "the data is gone");
    CHECK(t.all.next_step() == 0);
    CHECK(problem_of([&] { t.all.evaluate(7); }) == "the data is gone");
    t.it->fails_at = 100;
    t.it->diverges_at = 0;
    try {
        t.all.step();
        FAIL("a loss that is no number passes");
    } catch (const problem& why) {
        CHECK(why.code() == pa::errc::not_finite);
        CHECK(mentions(why.what(), "the loss of step 0 is not finite"));
    }
}

TEST_CASE("a checkpoint holds what a trainer keeps, and what is the run's", "[trainer]")
{
    const scratch_folder folder;
    counted t;
    t.all.step();
    t.all.step();
    checkpoint_folder kept(folder.path());
    const fs::path saved = t.all.save(kept, {.round = 5});
    CHECK(content_of(saved / "words.txt") == "one two");
    const auto state = nlohmann::json::parse(content_of(saved / "state.json"));
    CHECK(state == nlohmann::json::parse(R"({"step": 2, "round": 5, "updates": 2,
        "draws": {"batch": 4, "peer": 3}, "schedule": {"peak": 0.125}})"));
    safetensors_file(saved / "model.safetensors").expect("parameters", {6});

    counted other;
    CHECK(other.all.resume(folder.path()).round == 5);
    CHECK(other.all.next_step() == 2);
    CHECK(other.all.digest() == t.all.digest());
    CHECK(other.it->restored.tensors ==
          std::map<std::string, std::vector<float>>{{"moment", {0.25f, -3}}});
    CHECK(other.it->restored.numbers ==
          std::map<std::string, double>{{"updates", 2}, {"schedule/peak", 0.125}});
    CHECK(other.it->restored.texts == std::map<std::string, std::string>{{"words.txt", "one two"}});
    CHECK(other.it->restored.source == "the checkpoint " + fs::canonical(saved).string());
}

TEST_CASE("what others put beside the files of a checkpoint is none of the trainer's", "[trainer]")
{
    const scratch_folder folder;
    checkpoint_folder kept(folder.path());
    const fs::path saved = counted().all.save(kept);
    folder.file((saved.filename() / "tokenizer.json").string(), std::string(2 << 20, 'x'));
    fs::create_directory(saved / "more");
    counted t;
    t.all.resume(folder.path());
    CHECK(t.it->restored.texts.size() == 1);
}

TEST_CASE("a text that could not be read again is not saved, and what does not fit is named",
          "[trainer]")
{
    const scratch_folder folder;
    checkpoint_folder kept(folder.path());
    counted t;
    t.it->words = std::string((1 << 20) + 1, 'x');
    CHECK(mentions(problem_of([&] { t.all.save(kept); }), "words.txt of the trainer has 1048577"));
    CHECK(kept.in_force().empty());
    t.it->words.clear();
    const fs::path saved = t.all.save(kept);
    CHECK(problem_of([&] { t.all.resume(folder.path()); }) ==
          "the checkpoint " + fs::canonical(saved).string() +
              " does not suit this model: it has no words");
}

TEST_CASE("a checkpoint has the pieces of the parameters by their names", "[trainer]")
{
    const scratch_folder folder;
    auto* it = new counting_trainer;
    it->pieces = {{"matrix", {2, 2}}, {"bias", {2}}};
    training t(counted::owned(it), 3);
    checkpoint_folder kept(folder.path());
    const safetensors_file weights(t.save(kept) / "model.safetensors");
    weights.expect("matrix", {2, 2});
    std::vector<float> bias(2);
    weights.read("bias", bias);
    CHECK(bias == std::vector<float>{5, 6});
    CHECK(mentions(problem_of([&] { counted().all.resume(folder.path()); }),
                   "the tensor parameters is missing"));
}

TEST_CASE("a checkpoint is gone on from with the same draws and by the same peer only", "[trainer]")
{
    const scratch_folder folder;
    checkpoint_folder kept(folder.path());
    counted().all.save(kept);
    CHECK(mentions(problem_of([&] { counted(4).all.resume(folder.path()); }),
                   "was made with peer 3, this run has 4"));
    auto* it = new counting_trainer;
    it->batch = "five";
    training t(counted::owned(it), 3);
    CHECK(mentions(problem_of([&] { t.resume(folder.path()); }),
                   "was made with batch 4, this run has \"five\""));
    CHECK(t.parameters()[0] == 1);
}
