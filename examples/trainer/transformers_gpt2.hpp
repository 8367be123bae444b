#pragma once

#include "gpt2_config.hpp"

#include <filesystem>
#include <vector>

namespace papilio::example {

/// The weights of a GPT-2 that transformers has saved in `folder`, as `config.json` and
/// `model.safetensors`, in the order of `layout`. Names of tensors may lack the "transformer." at
/// their begin, as those of OpenAI's own models do. Throws a `problem` that names every difference
/// from the model that `config` describes.
std::vector<float> read_transformers_gpt2(const std::filesystem::path& folder,
                                          const gpt2_config& config);

}  // namespace papilio::example
