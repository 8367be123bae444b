// Whatever bytes a file holds, its header is read or refused: nothing overflows, hangs or crashes,
// and what is accepted covers the file without holes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if __has_include(<nlohmann/json.hpp>)

#include "../../examples/trainer/safetensors.cpp"

#include <span>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace papilio::example;
    try {
        const papilio::bytes file = std::as_bytes(std::span(data, size));
        const std::uint64_t json_size =
            safetensors_json_size(file.first(size < 8 ? size : 8), size);
        const auto* json = reinterpret_cast<const char*>(data) + 8;
        const safetensors_header header = parse_safetensors({json, json_size}, size);
        std::uint64_t reached = header.data_begin;
        for (const safetensors_entry& entry : header.entries) reached += entry.end - entry.begin;
        if (reached != size) std::abort();
    } catch (const problem&) {
        // Refused, as most inputs are.
    }
    return 0;
}

#else

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t)
{
    return 0;  // the trainer's libraries are not installed, so there is no reader to test
}

#endif
