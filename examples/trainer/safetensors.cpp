#include "safetensors.hpp"

#include "safetensors_header_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <utility>

namespace papilio::example {

namespace {

/// The types of the format, as of safetensors 0.7, and how many bits an element takes.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 22> element_types{{
    {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
    {"I32", 32},        {"U32", 32},    {"F32", 32},    {"F64", 64},    {"C64", 64},
    {"I64", 64},        {"U64", 64},
}};

std::uint64_t bits_of_element(const safetensors_entry& entry)
{
    for (const auto& [name, bits] : element_types)
        if (name == entry.type) return bits;
    throw problem(errc::mismatch, "the tensor " + short_name(entry.name) + " is of the type " +
                                      short_name(entry.type) +
                                      ", which this program does not read");
}

/// The size of the data by its shape and type; refuses products that overflow, and elements of a
/// few bits that end within a byte.
std::uint64_t bytes_of(const safetensors_entry& entry)
{
    std::uint64_t bits = bits_of_element(entry);
    if (std::find(entry.shape.begin(), entry.shape.end(), 0u) != entry.shape.end()) return 0;
    for (const std::uint64_t extent : entry.shape) {
        if (extent > std::numeric_limits<std::uint64_t>::max() / bits)
            refuse_safetensors(short_name(entry.name) + " has a shape too large to exist");
        bits *= extent;
    }
    if (bits % 8 != 0) refuse_safetensors(short_name(entry.name) + " ends within a byte");
    return bits / 8;
}

/// The entries, in the order of their data, must cover [0, data_size) without gaps.
void check_tiling(const std::vector<safetensors_entry>& entries, std::uint64_t data_size)
{
    std::uint64_t reached = 0;
    for (const safetensors_entry& entry : entries) {
        if (entry.begin > entry.end || entry.end > data_size)
            refuse_safetensors("the data of " + short_name(entry.name) + " lies outside the file");
        if (entry.begin != reached)
            refuse_safetensors("the data of " + short_name(entry.name) +
                               " does not follow that before it");
        if (entry.end - entry.begin != bytes_of(entry))
            refuse_safetensors("the data of " + short_name(entry.name) +
                               " does not have the size of its shape");
        reached = entry.end;
    }
    if (reached != data_size)
        refuse_safetensors(std::to_string(data_size - reached) +
                           " bytes at its end belong to no tensor");
}

}  // namespace

const safetensors_entry* safetensors_header::find(std::string_view name) const
{
    for (const safetensors_entry& entry : entries)
        if (entry.name == name) return &entry;
    return nullptr;
}

std::uint64_t safetensors_json_size(bytes first8, std::uint64_t file_size)
{
    if (first8.size() < 8 || file_size < 8) refuse_safetensors("it is shorter than 8 bytes");
    const auto size = load<std::uint64_t>(first8.data());
    if (size > safetensors_header_limit)
        refuse_safetensors("its header claims " + std::to_string(size) +
                           " bytes, more than is allowed");
    if (size > file_size - 8) refuse_safetensors("it ends within its header");
    return size;
}

safetensors_header parse_safetensors(std::string_view json, std::uint64_t file_size)
{
    if (json.empty() || json.front() != '{')
        refuse_safetensors("its header does not begin with '{'");
    safetensors_header_reader reader;
    nlohmann::json::sax_parse(json, &reader);
    safetensors_header header;
    header.entries = std::move(reader.entries);
    header.data_begin = 8 + json.size();
    if (header.data_begin > file_size) refuse_safetensors("it ends within its header");
    std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_tiling(header.entries, file_size - header.data_begin);
    return header;
}

void write_safetensors(std::vector<named_tensor> tensors, const std::function<void(bytes)>& sink)
{
    std::sort(tensors.begin(), tensors.end(),
              [](const named_tensor& a, const named_tensor& b) { return a.name < b.name; });
    nlohmann::ordered_json table;
    table["__metadata__"]["format"] = "pt";
    std::uint64_t at = 0;
    for (const named_tensor& tensor : tensors) {
        const std::uint64_t end = at + tensor.values.size_bytes();
        table[tensor.name] = {
            {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {at, end}}};
        at = end;
    }
    std::string json = table.dump();
    json.resize((json.size() + 7) / 8 * 8, ' ');

    std::array<std::byte, 8> length{};
    store(length.data(), std::uint64_t{json.size()});
    sink(length);
    sink(std::as_bytes(std::span(json)));
    for (const named_tensor& tensor : tensors) sink(std::as_bytes(tensor.values));
}

}  // namespace papilio::example
