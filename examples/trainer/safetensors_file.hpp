#pragma once

#include "file.hpp"
#include "safetensors.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace papilio::example {

/// A safetensors file opened for reading; only its header is in memory.
class safetensors_file {
public:
    /// Throws a `problem` naming the file unless its header is sound.
    explicit safetensors_file(const std::filesystem::path& path);

    const safetensors_header& header() const { return header_; }

    /// Throws a `problem` unless the tensor `name` is there, in f32 and of this shape.
    void expect(std::string_view name, const std::vector<std::size_t>& shape) const;

    /// Reads the values of an f32 tensor that is known to hold as many as `into`.
    void read(std::string_view name, std::span<float> into) const;

private:
    file file_;
    safetensors_header header_;
};

}  // namespace papilio::example
