// A model of one's own under papilio's miner and validator: plain C++, fitted to a curve.
//
//   own_model validator --listen 127.0.0.1:5400 --mesh 127.0.0.1:5401 --rounds 20
//   own_model miner --rendezvous 127.0.0.1:5400        in two more terminals

#include <papilio/base/random.hpp>
#include <papilio/miner.hpp>
#include <papilio/validator.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace pa = papilio;

/// y = the sum over i of c[i] tanh(a[i] x + b[i]), trained by stochastic gradient descent with
/// momentum. The parameters are all a, then all b, then all c.
class curve_trainer final : public pa::trainer {
public:
    curve_trainer(std::size_t width, std::size_t batch, float rate)
        : width_(width), batch_(batch), rate_(rate), values_(3 * width), velocity_(3 * width)
    {
        pa::random draw(width);  // alike on all members
        for (float& v : values_) v = static_cast<float>(draw.normal());
    }

    std::span<const float> parameters() const override { return values_; }
    void set_parameters(std::span<const float> values) override
    {
        values_.assign(values.begin(), values.end());
    }

    pa::step_result step(pa::data_place at) override
    {
        pa::random draw(pa::hash(at.peer, at.step));  // the place alone decides on the data
        std::vector<float> slope(values_.size());
        float loss = 0;
        for (std::size_t i = 0; i < batch_; ++i)
            loss += learn(static_cast<float>(6 * draw.uniform() - 3), slope);
        for (std::size_t i = 0; i < values_.size(); ++i) {
            velocity_[i] = 0.9f * velocity_[i] + slope[i] / static_cast<float>(batch_);
            values_[i] -= rate_ * velocity_[i];
        }
        return {.loss = loss / static_cast<float>(batch_), .tokens = batch_, .rate = rate_};
    }

    pa::held_out_loss evaluate(std::size_t most) override
    {
        const std::size_t count = most == 0 ? 256 : most;
        std::vector<float> unused(values_.size());
        double sum = 0;
        for (std::size_t i = 0; i < count; ++i)
            sum += learn(6 * static_cast<float>(i) / static_cast<float>(count) - 3, unused);
        return {.loss = sum / static_cast<double>(count), .sequences = count};
    }

    // What a checkpoint holds beside the parameters.
    void save(pa::trainer_record& to) const override { to.tensors["velocity"] = velocity_; }
    void restore(const pa::trainer_record& from) override
    {
        velocity_ = from.tensors.at("velocity");
    }
    pa::named_values draws() const override { return {{"batch", std::to_string(batch_)}}; }
    pa::trainer_notes notes() const override
    {
        return {.model = "a curve by " + std::to_string(width_) + " neurons"};
    }

private:
    /// The loss at x, whose gradient is added to `slope`.
    float learn(float x, std::vector<float>& slope) const
    {
        const float *a = values_.data(), *b = a + width_, *c = b + width_;
        float error = -(std::sin(2 * x) + x / 2);  // the curve
        for (std::size_t i = 0; i < width_; ++i) error += c[i] * std::tanh(a[i] * x + b[i]);
        for (std::size_t i = 0; i < width_; ++i) {
            const float t = std::tanh(a[i] * x + b[i]);
            const float inner = 2 * error * c[i] * (1 - t * t);
            slope[i] += inner * x;
            slope[width_ + i] += inner;
            slope[2 * width_ + i] += 2 * error * t;
        }
        return error * error;
    }

    const std::size_t width_, batch_;
    const float rate_;
    std::vector<float> values_, velocity_;
};

/// Its options, and the trainer that they make.
class curve final : public pa::model {
    std::size_t width_ = 32, batch_ = 16;
    float rate_ = 0.002f;

    void add_options(CLI::App& app) override
    {
        app.add_option("--width", width_, "neurons; equal for all members");
        app.add_option("--batch", batch_, "points in a step");
        app.add_option("--rate", rate_, "learning rate");
    }
    pa::named_values settings() const override { return {{"--width", std::to_string(width_)}}; }
    std::unique_ptr<pa::trainer> make() override
    {
        return std::make_unique<curve_trainer>(width_, batch_, rate_);
    }
};

int main(int argc, char** argv)
{
    const std::string what = argc > 1 ? argv[1] : "";
    curve model;
    if (what == "miner") return pa::run_miner(argc - 1, argv + 1, model);
    if (what == "validator") return pa::run_validator(argc - 1, argv + 1, model);
    std::fputs("usage: own_model miner|validator [OPTIONS]\n", stderr);
    return 2;
}
