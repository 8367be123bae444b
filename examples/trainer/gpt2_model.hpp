#pragma once

#include "gpt2_trainer.hpp"

#include <papilio/trainer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace papilio::example {

/// GPT-2 under a miner, which trains it, and under a validator, which only evaluates it and has
/// fewer options. Options that are not given are as the preset says.
class gpt2_model final : public papilio::model {
public:
    enum class user { miner, validator };

    explicit gpt2_model(user by) : user_(by) { options_.name = "demo"; }

    void add_options(CLI::App& app) override;
    named_values settings() const override;
    std::uint64_t inner_steps() const override;
    std::unique_ptr<papilio::trainer> make() override;

    /// What the options say by now.
    const gpt2_options& options() const { return options_; }

private:
    void add_shared(CLI::App& app);
    void add_training(CLI::App& app);
    void apply_preset(const CLI::App& app);

    user user_;
    gpt2_options options_;
    std::string device_ = "auto";
    int threads_ = 0;  // 0: as OMP_NUM_THREADS says
};

/// The device for a value of --device.
device_kind device_named(std::string_view name);

}  // namespace papilio::example
