#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

/// What papilio's miner and validator need of a model. What is the run's is theirs: the state that
/// the members agree on, its digest, the outer optimiser, the codec, checkpoints, and the options
/// for these. What is the model's is behind two interfaces: `trainer` and `model`.
namespace papilio {

/// The place in the data of one step: whose data, and how far. A trainer chooses the data of a step
/// by these two numbers and by its own options, and by nothing else, so that whoever knows them can
/// make the same step again.
struct data_place {
    std::uint64_t peer = 0;  ///< another for each miner of a run; the same when it comes back
    std::uint64_t step = 0;  ///< from 0; miners may skip some, and count alike
};

/// What one step has come to.
struct step_result {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

    double loss = 0;                 ///< before the update
    std::size_t tokens = 0;          ///< trained on: tokens, or whatever the data consists of
    double gradient_norm = unknown;  ///< for the records only, as the next one
    double rate = unknown;           ///< of learning
};

/// The mean loss over so many sequences, or samples, that are never trained on.
struct held_out_loss {
    double loss = 0;
    std::size_t sequences = 0;
};

/// What a trainer keeps beside its parameters, such as the moments of an optimiser. It is part of
/// a checkpoint: tensors in `optimizer.safetensors`, numbers in `state.json`, and each text, which
/// may be up to 1 MiB, in a file of its name. Tensors without elements and numbers that are not
/// finite are left out.
struct trainer_record {
    std::string
        source;  ///< when it is read, for sentences: "the checkpoint kept/checkpoint-000007"
    std::map<std::string, std::vector<float>> tensors;
    std::map<std::string, double> numbers;  ///< whole ones exactly, up to 2^53
    std::map<std::string, std::string> texts;
};

/// A piece of the parameters, by whose name and shape (row by row) `model.safetensors` has it.
struct named_shape {
    std::string name;
    std::vector<std::size_t> shape;
};

/// Names and their values, as people write them: ("--width", "64").
using named_values = std::vector<std::pair<std::string, std::string>>;

/// Lines about a trainer, for people. Empty ones are not shown.
struct trainer_notes {
    std::string model = {};          ///< what it is, how large, and where it runs
    std::string warning = {};        ///< what its user may not know, and would want to
    std::string first_weights = {};  ///< where they are from, if that is worth a line
};

/// A model in training. Its parameters are one vector of floats, of the same length and order for
/// all members of a run: the miners train it, and average by how much each of them has moved it.
/// The outer optimiser moves the parameters between two steps; the inner one, which is the
/// trainer's, keeps its own record then, as in DiLoCo.
///
/// All calls come from the thread that called `run_miner` or `run_validator`. A trainer that cannot
/// go on throws a `std::exception` whose `what()` is a sentence for its user: a miner saves a
/// checkpoint, and ends with that sentence; a validator whose evaluation fails says so, and goes on
/// with the run.
class trainer {
public:
    virtual ~trainer() = default;

    /// The parameters, on the host, until the next call of `set_parameters` or `step`. A new
    /// trainer has the first ones, the same on all members.
    virtual std::span<const float> parameters() const = 0;

    /// Replaces all of them. `values` is as long, and the caller's.
    virtual void set_parameters(std::span<const float> values) = 0;

    /// Makes one update of the parameters by the data at `at`. From equal parameters and an equal
    /// record the same place leads to the same parameters, bit for bit on one machine, if what a
    /// miner did is to be shown by repetition. Where the loss is not a finite number training has
    /// diverged: the miner ends with a sentence about that, and saves nothing of it.
    virtual step_result step(data_place at) = 0;

    /// The loss on at most `most` held-out sequences (0: all of them): the same ones at every call,
    /// and on every machine that has the same data. Changes neither parameters nor record.
    virtual held_out_loss evaluate(std::size_t most) = 0;

    /// Fills in what another trainer needs to go on from here beside the parameters. `to` may hold
    /// an earlier record of this trainer, whose memory is best used again. Without anything to
    /// keep there is nothing to do.
    virtual void save(trainer_record&) const {}

    /// Goes on with what `save` has filled in, in this or an earlier process. Throws where it does
    /// not fit, and has changed nothing then. The parameters follow by `set_parameters`.
    virtual void restore(const trainer_record&) {}

    /// What chooses the data of a step beside its place, such as ("batch", "8"). A checkpoint is
    /// gone on from only where these are as they were. Does not change.
    virtual named_values draws() const { return {}; }

    /// The pieces of the parameters in their order, all of them; does not change. Empty: they are
    /// one, called "parameters".
    virtual std::vector<named_shape> layout() const { return {}; }

    /// Where the data is text: the entropy of its single tokens on the held-out part, the loss of a
    /// model that knows their frequencies only. The validator shows it beside the loss, and its
    /// `--check` wants a loss that is 0.3 below. NaN: the data is none.
    virtual double unigram_entropy() { return std::numeric_limits<double>::quiet_NaN(); }

    virtual trainer_notes notes() const { return {}; }
};

/// A model as the programs' command line has it: its options, and the trainer that they make.
class model {
public:
    virtual ~model() = default;

    /// Adds the model's options to the program's, which are there already, by CLI11; they may fill
    /// in members of this object. May set the text around them, too: `description` and `footer` of
    /// the application.
    virtual void add_options(CLI::App&) {}

    /// The options, read by now, that all members of a run must agree on, and their values: a miner
    /// that differs in one is refused by its name.
    virtual named_values settings() const { return {}; }

    /// How many steps are between two rounds where `--inner-steps` is 0 or not given.
    virtual std::uint64_t inner_steps() const { return 100; }

    /// Makes the trainer, once, after the options are read. Throws as a trainer does.
    virtual std::unique_ptr<trainer> make() = 0;
};

}  // namespace papilio
