#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/float16.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// What a vector is made of, as descriptors say it on the wire. Zero is never a type.
enum class element_type : std::uint8_t {
    f32 = 1,
    f64 = 2,
    f16 = 3,
    bf16 = 4,
    i8 = 5,
    i16 = 6,
    i32 = 7,
    i64 = 8,
    u8 = 9,
    u16 = 10,
    u32 = 11,
    u64 = 12,
};

namespace detail {
template <class T, class... Others>
inline constexpr bool is_one_of = (std::same_as<T, Others> || ...);
}  // namespace detail

/// An element with a fraction: float, double, f16 or bf16.
template <class T>
concept floating_element = detail::is_one_of<T, float, double, f16, bf16>;

/// An integer of 8 to 64 bits; bool and the character types are none.
template <class T>
concept integer_element =
    detail::is_one_of<T, signed char, short, int, long, long long, unsigned char, unsigned short,
                      unsigned int, unsigned long, unsigned long long>;

/// What collectives can reduce: f32, f64, f16, bf16, i8 to i64 and u8 to u64.
template <class T>
concept element = floating_element<T> || integer_element<T>;

namespace detail {
template <element T>
constexpr element_type element_type_for()
{
    if constexpr (std::same_as<T, float>) return element_type::f32;
    if constexpr (std::same_as<T, double>) return element_type::f64;
    if constexpr (std::same_as<T, f16>) return element_type::f16;
    if constexpr (std::same_as<T, bf16>) return element_type::bf16;
    if constexpr (std::is_signed_v<T>)
        return sizeof(T) == 1   ? element_type::i8
               : sizeof(T) == 2 ? element_type::i16
               : sizeof(T) == 4 ? element_type::i32
                                : element_type::i64;
    return sizeof(T) == 1   ? element_type::u8
           : sizeof(T) == 2 ? element_type::u16
           : sizeof(T) == 4 ? element_type::u32
                            : element_type::u64;
}
}  // namespace detail

/// The wire code of `T`. Integers of one size and sign share one: `long` and `long long`, say.
template <element T>
inline constexpr element_type element_type_of = detail::element_type_for<T>();

/// The type in which contributions of type `T` are added up: float for the 16-bit floats, else `T`.
template <element T>
using accumulator_t = std::conditional_t<detail::is_one_of<T, f16, bf16>, float, T>;

/// "f32", "bf16" and so on, for messages; "unknown" for a code that is no type.
constexpr const char* name(element_type type) noexcept
{
    switch (type) {
    case element_type::f32: return "f32";
    case element_type::f64: return "f64";
    case element_type::f16: return "f16";
    case element_type::bf16: return "bf16";
    case element_type::i8: return "i8";
    case element_type::i16: return "i16";
    case element_type::i32: return "i32";
    case element_type::i64: return "i64";
    case element_type::u8: return "u8";
    case element_type::u16: return "u16";
    case element_type::u32: return "u32";
    case element_type::u64: return "u64";
    }
    return "unknown";
}

}  // namespace papilio
