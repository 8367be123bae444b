#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// The hyperparameters that determine the tensors of a GPT-2.
struct gpt2_config {
    std::size_t vocabulary = 256;  ///< tokens that exist; 256 where bytes are tokens
    std::size_t context = 128;     ///< positions, hence the longest sequence
    std::size_t layers = 4;
    std::size_t width = 128;
    std::size_t heads = 4;  ///< must divide `width`

    bool operator==(const gpt2_config&) const = default;
};

/// The config named `demo`, `gpt2-124m` or `gpt2-250m`; throws a `problem` that lists them.
gpt2_config preset(std::string_view name);

/// Throws a `problem` naming the field unless a model of this shape can exist.
void check(const gpt2_config& config);

/// A description, such as "4 layers, width 128, 4 heads, vocabulary 256, context 128".
std::string describe(const gpt2_config& config);

/// The initialisation of a parameter.
enum class initial { zeros, ones, normal, residual };

/// One tensor of the model and its position in the flat buffer.
struct parameter {
    std::string name;                ///< as Hugging Face's GPT-2 calls it
    std::vector<std::size_t> shape;  ///< row-major; projections are input-by-output, as GPT-2's
    std::size_t offset = 0;          ///< of its first element in the flat buffer
    std::size_t size = 0;            ///< elements
    initial start = initial::normal;

    /// Weight decay applies to matrices, and not to biases and layer norms.
    bool decays() const { return shape.size() > 1; }
};

/// The parameters in the order of the flat buffer: embeddings, blocks from the first to the last,
/// final layer norm. The output projection is tied to `wte` and has no tensor of its own.
std::vector<parameter> layout(const gpt2_config& config);

/// The number of elements of the flat buffer.
std::uint64_t parameter_count(const gpt2_config& config);

/// Initialises `flat` like GPT-2: normal with deviation 0.02, projections into the residual stream
/// scaled by 1/sqrt(2 layers), biases 0, gains 1. The same seed gives the same bits everywhere.
void initialise(const gpt2_config& config, std::uint64_t seed, std::span<float> flat);

}  // namespace papilio::example
