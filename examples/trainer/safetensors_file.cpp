#include "safetensors_file.hpp"

#include "problem.hpp"

#include <papilio/base/check.hpp>
#include <papilio/base/float16.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace papilio::example {

namespace {

safetensors_header read_header(const file& from)
{
    try {
        const std::uint64_t size = from.size();
        std::array<std::byte, 8> first{};
        if (size >= 8) from.read(0, first);
        std::string json(safetensors_json_size(first, size), '\0');
        from.read(8, std::as_writable_bytes(std::span(json)));
        return parse_safetensors(json, size);
    } catch (const problem& why) {
        throw problem(why.code(), from.path().string() + ": " + why.what());
    }
}

template <class Integer>
std::string text_of(const std::vector<Integer>& shape)
{
    std::string text;
    for (const Integer extent : shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
    return text.empty() ? "a single number" : text;
}

/// Reads halves, and widens them.
template <class Half>
void read_as(const file& from, std::uint64_t begin, std::span<float> into)
{
    std::vector<Half> halves(into.size());
    from.read(begin, std::as_writable_bytes(std::span(halves)));
    std::copy(halves.begin(), halves.end(), into.begin());
}

}  // namespace

safetensors_file::safetensors_file(const std::filesystem::path& path)
    : file_(path, file::mode::read), header_(read_header(file_))
{
}

std::string safetensors_file::objection_to(std::string_view name,
                                           const std::vector<std::size_t>& shape) const
{
    const std::string tensor = "the tensor " + std::string(name);
    const safetensors_entry* entry = header_.find(name);
    if (entry == nullptr) return tensor + " is missing";
    if (entry->type != "F32" && entry->type != "F16" && entry->type != "BF16")
        return tensor + " is in " + entry->type +
               ", a type that this program does not read: convert it to F32";
    const auto& has = entry->shape;
    if (std::equal(shape.begin(), shape.end(), has.begin(), has.end())) return {};
    const bool transposed = std::equal(shape.rbegin(), shape.rend(), has.begin(), has.end());
    return tensor + " is " + text_of(has) + ", but the model needs " + text_of(shape) +
           (transposed ? ": it is transposed" : "");
}

void safetensors_file::expect(std::string_view name, const std::vector<std::size_t>& shape) const
{
    const std::string why = objection_to(name, shape);
    if (!why.empty()) throw problem(errc::mismatch, path().string() + ": " + why);
}

void safetensors_file::read(std::string_view name, std::span<float> into) const
{
    const safetensors_entry* entry = header_.find(name);
    PAPILIO_CHECK(entry != nullptr, "expect the tensor before reading it");
    const std::uint64_t begin = header_.data_begin + entry->begin;
    if (entry->type == "F16") return read_as<f16>(file_, begin, into);
    if (entry->type == "BF16") return read_as<bf16>(file_, begin, into);
    PAPILIO_CHECK(entry->end - entry->begin == into.size_bytes(),
                  "expect the tensor before reading it");
    file_.read(begin, std::as_writable_bytes(into));
}

}  // namespace papilio::example
