#include <trainer/gpt2.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace papilio::example;

namespace {

using row = std::vector<double>;

/// GPT-2's forward pass written down plainly, in double precision and one number at a time. It
/// finds its weights by Hugging Face's names, with projections input-by-output.
class plain_gpt2 {
public:
    plain_gpt2(const gpt2_config& config, std::span<const float> flat)
        : config_(config), layout_(layout(config)), flat_(flat)
    {
    }

    /// Scores after each token.
    std::vector<row> logits(const std::vector<std::int64_t>& tokens) const
    {
        std::vector<row> x;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            x.emplace_back(config_.width);
            for (std::size_t c = 0; c < config_.width; ++c)
                x[t][c] = weight("wte.weight", static_cast<std::size_t>(tokens[t]), c) +
                          weight("wpe.weight", t, c);
        }
        for (std::size_t i = 0; i < config_.layers; ++i) {
            const std::string block = "h." + std::to_string(i);
            add(x, attention(block + ".attn", norm(block + ".ln_1", x)));
            std::vector<row> inner = project(block + ".mlp.c_fc", norm(block + ".ln_2", x));
            for (row& r : inner) std::transform(r.begin(), r.end(), r.begin(), gelu);
            add(x, project(block + ".mlp.c_proj", inner));
        }
        std::vector<row> scores;
        for (const row& r : norm("ln_f", x)) {
            scores.emplace_back(config_.vocabulary);
            for (std::size_t v = 0; v < config_.vocabulary; ++v)
                for (std::size_t c = 0; c < config_.width; ++c)
                    scores.back()[v] += r[c] * weight("wte.weight", v, c);
        }
        return scores;
    }

private:
    double weight(const std::string& name, std::size_t i, std::size_t j) const
    {
        const auto found = std::find_if(layout_.begin(), layout_.end(), [&](const parameter& p) {
            return p.name == "transformer." + name;
        });
        if (found == layout_.end()) throw std::out_of_range(name);
        const std::size_t columns = found->shape.size() == 1 ? 0 : found->shape[1];
        return flat_[found->offset + i * columns + j];
    }

    static double gelu(double x)
    {
        const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
        return 0.5 * x * (1 + std::tanh(inner));
    }

    static void add(std::vector<row>& x, const std::vector<row>& y)
    {
        for (std::size_t t = 0; t < x.size(); ++t)
            for (std::size_t c = 0; c < x[t].size(); ++c) x[t][c] += y[t][c];
    }

    std::vector<row> norm(const std::string& name, std::vector<row> x) const
    {
        for (row& r : x) {
            double mean = 0;
            double variance = 0;
            const double n = static_cast<double>(r.size());
            for (const double value : r) mean += value / n;
            for (const double value : r) variance += (value - mean) * (value - mean) / n;
            for (std::size_t c = 0; c < r.size(); ++c)
                r[c] = (r[c] - mean) / std::sqrt(variance + 1e-5) * weight(name + ".weight", 0, c) +
                       weight(name + ".bias", 0, c);
        }
        return x;
    }

    std::vector<row> project(const std::string& name, const std::vector<row>& x) const
    {
        const auto bias = std::find_if(layout_.begin(), layout_.end(), [&](const parameter& p) {
            return p.name == "transformer." + name + ".bias";
        });
        std::vector<row> y;
        for (const row& r : x) {
            y.emplace_back(bias->size);
            for (std::size_t o = 0; o < bias->size; ++o) {
                y.back()[o] = weight(name + ".bias", 0, o);
                for (std::size_t i = 0; i < r.size(); ++i)
                    y.back()[o] += r[i] * weight(name + ".weight", i, o);
            }
        }
        return y;
    }

    std::vector<row> attention(const std::string& name, const std::vector<row>& x) const
    {
        const std::size_t width = config_.width;
        const std::size_t depth = width / config_.heads;
        const std::vector<row> qkv = project(name + ".c_attn", x);
        std::vector<row> mixed(x.size(), row(width));
        for (std::size_t h = 0; h < config_.heads; ++h)
            for (std::size_t t = 0; t < x.size(); ++t) {
                row share(t + 1);
                double sum = 0;
                for (std::size_t s = 0; s <= t; ++s) {
                    double score = 0;
                    for (std::size_t d = h * depth; d < (h + 1) * depth; ++d)
                        score += qkv[t][d] * qkv[s][width + d];
                    share[s] = std::exp(score / std::sqrt(static_cast<double>(depth)));
                    sum += share[s];
                }
                for (std::size_t s = 0; s <= t; ++s)
                    for (std::size_t d = h * depth; d < (h + 1) * depth; ++d)
                        mixed[t][d] += share[s] / sum * qkv[s][2 * width + d];
            }
        return project(name + ".c_proj", mixed);
    }

    gpt2_config config_;
    std::vector<parameter> layout_;
    std::span<const float> flat_;
};

/// Weights so large that gelu bends, attention is sharp, and no gain or bias is at rest; embeddings
/// so small that the first layer norm feels its epsilon.
std::vector<float> lively_weights(const gpt2_config& config)
{
    std::vector<float> flat(parameter_count(config));
    papilio::random numbers(11);
    for (const parameter& p : layout(config)) {
        const double scale = p.name.ends_with("e.weight") ? 0.05 : 0.3;
        const double gain = p.start == initial::ones ? 1 : 0;
        for (float& value : std::span(flat).subspan(p.offset, p.size))
            value = static_cast<float>(scale * numbers.normal() + gain);
    }
    return flat;
}

double largest_difference(const std::vector<row>& expected, const std::vector<float>& actual)
{
    double worst = 0;
    std::size_t i = 0;
    for (const row& r : expected)
        for (const double value : r)
            worst = std::max(worst, std::abs(value - static_cast<double>(actual.at(i++))));
    CHECK(i == actual.size());
    return worst;
}

const std::vector<std::int64_t> tokens{72, 101, 0, 255, 111, 32, 32, 119, 111, 114, 108};

}  // namespace

TEST_CASE("the model computes what GPT-2 computes", "[trainer]")
{
    const gpt2_config config = tiny_model();
    const std::vector<float> flat = lively_weights(config);
    const std::vector<row> expected = plain_gpt2(config, flat).logits(tokens);
    gpt2 model(config, device_kind::cpu);
    model.write(flat);
    CHECK(std::abs(expected[3][5]) > 0.1);
    CHECK(largest_difference(expected, model.logits(tokens)) < 1e-5);
}

TEST_CASE("in bf16 the model computes nearly the same", "[trainer]")
{
    const gpt2_config config = tiny_model();
    const std::vector<float> flat = lively_weights(config);
    const std::vector<row> expected = plain_gpt2(config, flat).logits(tokens);
    gpt2 model(config, device_kind::cpu, precision::bf16);
    model.write(flat);
    const double difference = largest_difference(expected, model.logits(tokens));
    CHECK(difference > 1e-4);  // else it computed in f32
    CHECK(difference < 0.05);
}

TEST_CASE("the loss is the mean cross entropy of the next tokens", "[trainer]")
{
    const gpt2_config config = tiny_model();
    const std::vector<float> flat = lively_weights(config);
    const std::vector<row> scores = plain_gpt2(config, flat).logits(tokens);
    double sum = 0;
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
        double total = 0;
        for (const double score : scores[t]) total += std::exp(score);
        sum += std::log(total) - scores[t][static_cast<std::size_t>(tokens[t + 1])];
    }
    gpt2 model(config, device_kind::cpu);
    model.write(flat);
    CHECK(model.loss(tokens, 1) == Approx(sum / 10).epsilon(1e-5));
    CHECK(model.accumulate(tokens, 1, 1) == Approx(sum / 10).epsilon(1e-5));
    std::vector<std::int64_t> twice = tokens;
    twice.insert(twice.end(), tokens.begin(), tokens.end());
    CHECK(model.loss(twice, 2) == Approx(sum / 10).epsilon(1e-5));
}

TEST_CASE("weights are written and read as one flat buffer", "[trainer]")
{
    const gpt2_config config = tiny_model();
    const std::vector<float> flat = lively_weights(config);
    gpt2 model(config, device_kind::cpu);
    CHECK(model.size() == flat.size());
    model.write(flat);
    CHECK(std::equal(flat.begin(), flat.end(), model.read().begin(), model.read().end()));
}
