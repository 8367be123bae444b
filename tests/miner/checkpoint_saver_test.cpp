#include <miner/checkpoint_saver.hpp>

#include <trainer/checkpoint.hpp>
#include <trainer/support.hpp>

#include "support/process_limit.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

/// A trainer, and what keeps its checkpoints.
struct saved_training {
    saved_training() { saver.skip(*agreed); }

    /// Trains to the next round.
    void train()
    {
        training.step();
        auto next = std::make_shared<papilio::state_snapshot>(*agreed);
        ++next->round;
        agreed = next;
    }

    /// The round of the checkpoint in force.
    std::uint64_t round_in_force()
    {
        trainer other(training.options());
        return other.resume(folder.path() / "kept").round;
    }

    scratch_folder folder;
    checkpoint_folder kept{folder.path() / "kept"};
    trainer training{tiny_options(folder)};
    papilio::shared_state agreed = first_state(training.parameters());
    update_residuals none{0};
    progress tells{0, 0};
    checkpoint_saver saver{&kept, training, tells};
};

}  // namespace

TEST_CASE("a checkpoint holds what was when it was begun, though training goes on", "[miner]")
{
    saved_training t;
    t.train();
    const auto then = t.training.digest();
    t.saver.begin(t.agreed, t.none);
    t.train();
    CHECK(t.saver.finish());
    CHECK(t.saver.ended());
    CHECK(t.round_in_force() == 1);
    trainer resumed(t.training.options());
    resumed.resume(t.folder.path() / "kept");
    CHECK(resumed.digest() == then);
}

TEST_CASE("what is held already is not saved again, and the first state is not at all", "[miner]")
{
    saved_training t;
    t.saver.begin(t.agreed, t.none);
    CHECK(t.saver.finish());
    CHECK(t.kept.in_force().empty());
    t.train();
    for (int i = 0; i < 2; ++i) {
        t.saver.begin(t.agreed, t.none);
        CHECK(t.saver.finish());
        CHECK(t.kept.in_force().filename() == "checkpoint-000001");
    }
}

TEST_CASE("a checkpoint that is begun while another is written follows it", "[miner]")
{
    saved_training t;
    for (int i = 0; i < 4; ++i) {
        t.train();
        t.saver.begin(t.agreed, t.none);
    }
    CHECK(t.saver.finish());
    CHECK(t.kept.in_force().filename() == "checkpoint-000004");
    CHECK(t.round_in_force() == 4);
}

TEST_CASE(
    "a checkpoint that cannot be written leaves the one before in force, and the same state "
    "is tried again",
    "[miner]")
{
    saved_training t;
    t.train();
    t.saver.begin(t.agreed, t.none);
    CHECK(t.saver.finish());
    t.train();
    {
        const papilio::test::process_limit disk(RLIMIT_FSIZE, 1000);
        t.saver.begin(t.agreed, t.none);
        CHECK_FALSE(t.saver.finish());
        CHECK_FALSE(t.saver.finish());
    }
    CHECK(t.round_in_force() == 1);
    t.saver.begin(t.agreed, t.none);
    CHECK(t.saver.finish());
    CHECK(t.round_in_force() == 2);
}

TEST_CASE("a checkpoint that has begun is whole when its saver goes away", "[miner]")
{
    saved_training t;
    t.train();
    {
        checkpoint_saver brief(&t.kept, t.training, t.tells);
        brief.begin(t.agreed, t.none);
    }
    CHECK(t.round_in_force() == 1);
}

TEST_CASE("where nothing is kept, nothing fails", "[miner]")
{
    saved_training t;
    checkpoint_saver nowhere(nullptr, t.training, t.tells);
    t.train();
    nowhere.begin(t.agreed, t.none);
    CHECK(nowhere.finish());
    CHECK(t.kept.in_force().empty());
}
