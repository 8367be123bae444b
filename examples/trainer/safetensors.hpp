#pragma once

#include <papilio/base/bytes.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

/// The longest header that safetensors allows, in bytes.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// One tensor of a safetensors file; `begin` and `end` count bytes from the start of the data.
struct safetensors_entry {
    std::string name;
    std::string type;  ///< "F32", "BF16", "I64", ...
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// The header of a safetensors file. Entries are in the order of their data.
struct safetensors_header {
    std::vector<safetensors_entry> entries;
    std::uint64_t data_begin = 0;  ///< where the data starts in the file

    /// The entry called `name`, or null.
    const safetensors_entry* find(std::string_view name) const;
};

/// Reads the first 8 bytes of a file of `file_size` bytes: the length of the JSON that follows.
/// Throws a `problem` when it is beyond the limit or the file, so that it is safe to allocate.
std::uint64_t safetensors_json_size(bytes first8, std::uint64_t file_size);

/// Parses the JSON that follows those 8 bytes. Any input is parsed or throws a `problem`. The
/// result is consistent: types are those of the format, sizes match shapes, names are unique, and
/// the entries cover the data without gaps or overlap up to the end of the file.
safetensors_header parse_safetensors(std::string_view json, std::uint64_t file_size);

/// An f32 tensor to be written; `values` are borrowed until `write_safetensors` returns.
struct named_tensor {
    std::string name;
    std::vector<std::size_t> shape;
    std::span<const float> values;
};

/// Writes a complete safetensors file to `sink`, piece by piece and without copying the values.
/// Tensors are laid out by name, as the reference writer does.
void write_safetensors(std::vector<named_tensor> tensors, const std::function<void(bytes)>& sink);

}  // namespace papilio::example
