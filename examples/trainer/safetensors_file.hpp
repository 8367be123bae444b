#pragma once

#include "file.hpp"
#include "safetensors.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// A safetensors file opened for reading; only its header is in memory.
class safetensors_file {
public:
    /// Throws a `problem` naming the file unless its header is sound.
    explicit safetensors_file(const std::filesystem::path& path);

    const safetensors_header& header() const { return header_; }

    const std::filesystem::path& path() const { return file_.path(); }

    /// What keeps the tensor `name` from being read as floats of this shape; empty: nothing does.
    /// It must be there, in F32, F16 or BF16.
    std::string objection_to(std::string_view name, const std::vector<std::size_t>& shape) const;

    /// Throws a `problem` that names the file if there is an objection.
    void expect(std::string_view name, const std::vector<std::size_t>& shape) const;

    /// Reads the values of a tensor to which there was no objection, and which holds as many as
    /// `into`.
    void read(std::string_view name, std::span<float> into) const;

private:
    file file_;
    safetensors_header header_;
};

}  // namespace papilio::example
