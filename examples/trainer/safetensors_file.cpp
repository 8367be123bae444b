#include "safetensors_file.hpp"

#include "problem.hpp"

#include <papilio/base/check.hpp>

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

}  // namespace

safetensors_file::safetensors_file(const std::filesystem::path& path)
    : file_(path, file::mode::read), header_(read_header(file_))
{
}

void safetensors_file::expect(std::string_view name, const std::vector<std::size_t>& shape) const
{
    const std::string tensor = file_.path().string() + ": the tensor " + std::string(name);
    const safetensors_entry* entry = header_.find(name);
    if (entry == nullptr) throw problem(errc::mismatch, tensor + " is missing");
    if (entry->type != "F32")
        throw problem(errc::mismatch, tensor + " is in " + entry->type + ", not in F32");
    if (!std::equal(shape.begin(), shape.end(), entry->shape.begin(), entry->shape.end()))
        throw problem(errc::mismatch, tensor + " is " + text_of(entry->shape) +
                                          ", but the model needs " + text_of(shape));
}

void safetensors_file::read(std::string_view name, std::span<float> into) const
{
    const safetensors_entry* entry = header_.find(name);
    PAPILIO_CHECK(entry != nullptr && entry->end - entry->begin == into.size_bytes(),
                  "expect the tensor before reading it");
    file_.read(header_.data_begin + entry->begin, std::as_writable_bytes(into));
}

}  // namespace papilio::example
