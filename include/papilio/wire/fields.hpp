#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Fields of messages whose length varies, one after another, little-endian and without padding.
namespace papilio::inline PAPILIO_MODE::wire::detail {

inline constexpr std::size_t max_text = 255;

class field_writer {
public:
    template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void put(T value)
    {
        to_.resize(to_.size() + sizeof value);
        store(to_.data() + to_.size() - sizeof value, value);
    }

    /// u8 length, and as many bytes. Throws `errc::too_large` beyond 255 of them.
    void put(const std::string& text)
    {
        if (text.size() > max_text)
            throw papilio::detail::bad_value(errc::too_large, "the size of a text in a message",
                                             "at most 255 bytes", text.size());
        put(static_cast<std::uint8_t>(text.size()));
        const auto as_bytes = std::as_bytes(std::span(text));
        to_.insert(to_.end(), as_bytes.begin(), as_bytes.end());
    }

    /// So many bytes, without their number.
    template <std::size_t N>
    void put(const std::array<std::byte, N>& value)
    {
        to_.insert(to_.end(), value.begin(), value.end());
    }

    std::vector<std::byte> take() { return std::move(to_); }

private:
    std::vector<std::byte> to_;
};

/// Throws `errc::bad_message` when the fields go on beyond the end.
class field_reader {
public:
    explicit field_reader(bytes from) : left_(from) {}

    template <class T>
    T get()
    {
        const auto value = load<T>(take(sizeof(T)).data());
        return value;
    }

    bool get_bool()
    {
        const auto value = get<std::uint8_t>();
        if (value > 1)
            throw papilio::detail::bad_value(errc::bad_message, "a truth value in a message",
                                             "0 or 1", value);
        return value == 1;
    }

    std::string get_text()
    {
        const auto text = take(get<std::uint8_t>());
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }

    template <std::size_t N>
    void get(std::array<std::byte, N>& value)
    {
        std::ranges::copy(take(N), value.begin());
    }

    std::size_t left() const noexcept { return left_.size(); }

    void expect_end() const
    {
        if (!left_.empty())
            throw std::system_error(
                errc::bad_message,
                std::to_string(left_.size()) + " bytes follow the last field of a message");
    }

private:
    bytes take(std::size_t n)
    {
        if (left_.size() < n)
            throw std::system_error(errc::bad_message,
                                    "the next field of a message has " + std::to_string(n) +
                                        " bytes: " + std::to_string(left_.size()) + " are left");
        const auto taken = left_.first(n);
        left_ = left_.subspan(n);
        return taken;
    }

    bytes left_;
};

/// No text is made unless it is needed.
template <class Value>
void require(bool valid, const char* what, const char* range, Value found)
{
    if (!valid) throw papilio::detail::bad_value(errc::bad_message, what, range, found);
}

inline void require_size(std::size_t size, const std::string& what, std::size_t least,
                         std::size_t most)
{
    if (size < least || size > most)
        throw papilio::detail::bad_value(
            errc::bad_message, "the size of " + what,
            "from " + std::to_string(least) + " to " + std::to_string(most) + " bytes", size);
}

/// So many bytes that say nothing yet.
inline void put_zeros(field_writer& to, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) to.put(std::uint8_t{0});
}

inline void get_zeros(field_reader& from, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = from.get<std::uint8_t>();
        require(value == 0, "a reserved byte of a message", "0", value);
    }
}

/// A number that is at least `least` and at most `most`.
template <class T>
T get_between(field_reader& from, const char* what, T least, T most)
{
    const auto value = from.get<T>();
    if (value < least || value > most)
        throw papilio::detail::bad_value(
            errc::bad_message, what,
            "from " + std::to_string(least) + " to " + std::to_string(most), value);
    return value;
}

}  // namespace papilio::wire::detail
