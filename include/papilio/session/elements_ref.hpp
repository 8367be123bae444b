#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>

#include <cstddef>
#include <ranges>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

/// What a call borrows must be what collectives take, and outlive the expression that names it.
template <class Range>
constexpr void check_elements()
{
    static_assert(!std::is_pointer_v<std::decay_t<Range>> || std::is_array_v<Range>,
                  "a pointer does not say how many elements there are: pass std::span(pointer, "
                  "count)");
    static_assert(std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>,
                  "elements must lie side by side, as in a vector, an array or a span");
    static_assert(element<std::ranges::range_value_t<Range>>,
                  "no elements for a collective: it takes float, double, f16, bf16 and integers "
                  "of 8 to 64 bits, neither bool nor char");
    static_assert(std::is_lvalue_reference_v<Range> || std::ranges::borrowed_range<Range>,
                  "this range is a temporary, gone before the call ends: give it a name");
}

}  // namespace detail

/// Elements that a call reads, of a type that is known at run time: any vector, array or span of an
/// `element`. Borrows them until the call has ended.
class const_elements_ref {
public:
    template <class Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, const_elements_ref>)  //
        constexpr const_elements_ref(Range&& range)
        : data_((detail::check_elements<Range>(), std::ranges::data(range))),
          size_(std::ranges::size(range)),
          type_(element_type_of<std::ranges::range_value_t<Range>>)
    {
    }

    /// `size` elements of `type` at `data`.
    constexpr const_elements_ref(const void* data, std::size_t size, element_type type) noexcept
        : data_(data), size_(size), type_(type)
    {
    }

    constexpr const void* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr element_type type() const noexcept { return type_; }

private:
    const void* data_;
    std::size_t size_;
    element_type type_;
};

/// Elements that a call overwrites.
class elements_ref {
public:
    template <class Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, elements_ref>)  //
        constexpr elements_ref(Range&& range)
        : data_((detail::check_elements<Range>(), writable(std::ranges::data(range)))),
          size_(std::ranges::size(range)),
          type_(element_type_of<std::ranges::range_value_t<Range>>)
    {
    }

    constexpr elements_ref(void* data, std::size_t size, element_type type) noexcept
        : data_(data), size_(size), type_(type)
    {
    }

    constexpr void* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr element_type type() const noexcept { return type_; }

private:
    template <class T>
    static constexpr T* writable(T* data)
    {
        static_assert(!std::is_const_v<T>,
                      "the result cannot be written to const elements: pass a range whose "
                      "elements may change");
        return data;
    }

    void* data_;
    std::size_t size_;
    element_type type_;
};

}  // namespace papilio
