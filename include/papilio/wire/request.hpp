#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/control.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <type_traits>

// The first message of a request outside of calls.
namespace papilio::inline PAPILIO_MODE::detail {

// clang-format off
/// A struct without padding, which is sent as it lies in memory. Its first members are a `magic`
/// number, set by default, and the number of the `request`, both u32.
template <class T>
concept request_message = std::is_trivially_copyable_v<T> &&
    std::has_unique_object_representations_v<T> && requires(const T& r) {
        { (r.magic) } -> std::same_as<const std::uint32_t&>;
        { (r.request) } -> std::same_as<const std::uint32_t&>;
    };
// clang-format on

template <request_message Request>
std::array<std::byte, sizeof(Request)> encode(const Request& r) noexcept
{
    std::array<std::byte, sizeof(Request)> to;
    store(to.data(), r);
    return to;
}

/// Throws `errc::bad_message` with the text `refusal` for another size, magic number, or a number
/// that is no request's.
template <request_message Request>
Request read_request(bytes from, const char* refusal)
{
    if (from.size() != sizeof(Request)) throw std::system_error(errc::bad_message, refusal);
    const auto r = load<Request>(from.data());
    if (r.magic != Request{}.magic || !is_request_number(r.request))
        throw std::system_error(errc::bad_message, refusal);
    return r;
}

}  // namespace papilio::detail
