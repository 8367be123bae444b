#pragma once

#include <papilio/base/config.hpp>

#include <concepts>
#include <cstddef>
#include <ranges>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

template <class T>
class short_list;

namespace detail {
// clang-format off

/// A value that a list of `T` may be given in place: a fraction is no number of peers.
template <class V, class T>
concept listed_value = std::convertible_to<V, T> &&
    !(std::floating_point<std::remove_cvref_t<V>> && std::integral<T>);

/// A range that a list of `T` may borrow.
template <class R, class T>
concept lent_list = !std::same_as<std::remove_cvref_t<R>, short_list<T>> &&
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::ranges::borrowed_range<R> && std::same_as<std::ranges::range_value_t<R>, T>;

// clang-format on
}  // namespace detail

/// A list for an option or an argument. `{1, 2, 3}` in place holds up to `most` elements itself.
/// Any other contiguous range of `T` is borrowed and outlives whoever reads the list: name it. A
/// list is a range, and so converts to a span, which is valid as long as the list is.
///
/// Has nothing to destroy, and no constructor from `std::initializer_list`: g++ 12.2 does not
/// compile a temporary of either kind in an awaited call, or destroys it twice.
template <class T>
class short_list {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    static constexpr std::size_t most = 16;

    constexpr short_list() noexcept = default;

    template <detail::listed_value<T> First, detail::listed_value<T>... Rest>
    constexpr short_list(First first, Rest... rest) noexcept
        : size_(1 + sizeof...(rest)), own_{static_cast<T>(first)}
    {
        static_assert(1 + sizeof...(rest) <= most,
                      "a list in place has up to 16 elements: name a vector, an array or a span of "
                      "more, which outlives the call, and pass that");
        if constexpr (1 + sizeof...(rest) <= most) {
            [[maybe_unused]] T* to = own_;
            ((*++to = static_cast<T>(rest)), ...);
        }
    }

    template <detail::lent_list<T> Range>
    constexpr short_list(Range&& range) noexcept
        : borrowed_(std::ranges::data(range)), size_(std::ranges::size(range))
    {
    }

    constexpr const T* data() const noexcept { return borrowed_ != nullptr ? borrowed_ : own_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr const T* begin() const noexcept { return data(); }
    constexpr const T* end() const noexcept { return data() + size_; }
    constexpr const T& operator[](std::size_t i) const noexcept { return data()[i]; }

private:
    const T* borrowed_ = nullptr;
    std::size_t size_ = 0;
    T own_[most] = {};
};
static_assert(std::is_trivially_destructible_v<short_list<int>>);

}  // namespace papilio
