#include "gpt2_config.hpp"

#include "problem.hpp"

#include <papilio/base/check.hpp>
#include <papilio/base/random.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace papilio::example {

namespace {

std::size_t product(const std::vector<std::size_t>& shape)
{
    std::size_t size = 1;
    for (const std::size_t extent : shape) size *= extent;
    return size;
}

/// Collects the parameters one after the other.
class layout_builder {
public:
    void add(std::string name, std::vector<std::size_t> shape, initial start)
    {
        const std::size_t size = product(shape);
        parameters_.push_back({std::move(name), std::move(shape), at_, size, start});
        at_ += size;
    }

    void add_norm(const std::string& name, std::size_t width)
    {
        add(name + ".weight", {width}, initial::ones);
        add(name + ".bias", {width}, initial::zeros);
    }

    void add_projection(const std::string& name, std::size_t in, std::size_t out, initial start)
    {
        add(name + ".weight", {in, out}, start);
        add(name + ".bias", {out}, initial::zeros);
    }

    std::vector<parameter> take() { return std::move(parameters_); }

private:
    std::vector<parameter> parameters_;
    std::size_t at_ = 0;
};

}  // namespace

gpt2_config preset(std::string_view name)
{
    if (name == "demo") return {};
    if (name == "gpt2-124m") return {50257, 1024, 12, 768, 12};
    if (name == "gpt2-250m") return {50257, 1024, 16, 1024, 16};
    throw problem(errc::bad_argument, "there is no model called '" + std::string(name) +
                                          "': choose demo, gpt2-124m or gpt2-250m");
}

void check(const gpt2_config& config)
{
    const auto within = [](const char* what, std::size_t value, std::size_t most) {
        if (value == 0 || value > most)
            throw problem(errc::bad_argument,
                          std::string("a model's ") + what + " must lie between 1 and " +
                              std::to_string(most) + ", not at " + std::to_string(value));
    };
    // The limits keep every product of two or three of them far from overflow.
    within("vocabulary", config.vocabulary, std::size_t{1} << 24);
    within("context", config.context, std::size_t{1} << 20);
    within("number of layers", config.layers, 1024);
    within("width", config.width, std::size_t{1} << 16);
    within("number of heads", config.heads, config.width);
    if (config.width % config.heads != 0)
        throw problem(errc::bad_argument, "a model's width must be a multiple of its heads, but " +
                                              std::to_string(config.width) + " is none of " +
                                              std::to_string(config.heads));
}

std::string describe(const gpt2_config& config)
{
    return std::to_string(config.layers) + " layers, width " + std::to_string(config.width) + ", " +
           std::to_string(config.heads) + " heads, vocabulary " +
           std::to_string(config.vocabulary) + ", context " + std::to_string(config.context);
}

std::vector<parameter> layout(const gpt2_config& config)
{
    check(config);
    const std::size_t width = config.width;
    layout_builder build;
    build.add("transformer.wte.weight", {config.vocabulary, width}, initial::normal);
    build.add("transformer.wpe.weight", {config.context, width}, initial::normal);
    for (std::size_t i = 0; i < config.layers; ++i) {
        const std::string block = "transformer.h." + std::to_string(i);
        build.add_norm(block + ".ln_1", width);
        build.add_projection(block + ".attn.c_attn", width, 3 * width, initial::normal);
        build.add_projection(block + ".attn.c_proj", width, width, initial::residual);
        build.add_norm(block + ".ln_2", width);
        build.add_projection(block + ".mlp.c_fc", width, 4 * width, initial::normal);
        build.add_projection(block + ".mlp.c_proj", 4 * width, width, initial::residual);
    }
    build.add_norm("transformer.ln_f", width);
    return build.take();
}

std::uint64_t parameter_count(const gpt2_config& config)
{
    const std::vector<parameter> all = layout(config);
    return all.back().offset + all.back().size;
}

void initialise(const gpt2_config& config, std::uint64_t seed, std::span<float> flat)
{
    PAPILIO_CHECK(flat.size() == parameter_count(config), "the buffer must hold all parameters");
    const double deviation = 0.02;
    const double residual = deviation / std::sqrt(2.0 * static_cast<double>(config.layers));
    random numbers(seed);
    for (const parameter& p : layout(config)) {
        const std::span<float> values = flat.subspan(p.offset, p.size);
        if (p.start == initial::zeros) {
            std::fill(values.begin(), values.end(), 0.0f);
        } else if (p.start == initial::ones) {
            std::fill(values.begin(), values.end(), 1.0f);
        } else {
            const double scale = p.start == initial::residual ? residual : deviation;
            for (float& value : values) value = static_cast<float>(scale * numbers.normal());
        }
    }
}

}  // namespace papilio::example
