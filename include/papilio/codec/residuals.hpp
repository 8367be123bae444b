#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/finite.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct residual_options {
    float beta = 1;   ///< factor of the residual in the next round
    float scale = 1;  ///< value of one unit of an 8-bit residual
};

/// The errors that `error_feedback` has yet to send, one per element of the vector: as float, as
/// bf16, or as std::int8_t times a common scale. There are two copies: the values before the
/// current round, and those that hold if the round succeeds.
///
/// Between rounds `values()` may be stored and set again. Residuals start at zero.
template <class Stored = float>
class residuals {
    static_assert(detail::is_one_of<Stored, float, bf16, std::int8_t>,
                  "residuals are float, bf16 or std::int8_t");

public:
    explicit residuals(std::size_t size, residual_options options = {});

    std::size_t size() const noexcept { return committed_.size(); }
    const residual_options& options() const noexcept { return options_; }

    /// The values after the last round that succeeded.
    std::span<const Stored> values() const noexcept { return committed_; }

    /// Throws `errc::bad_argument` for another number of elements, `errc::not_finite` for a NaN or
    /// an infinity; then nothing has changed.
    void set(std::span<const Stored> values);

    /// The round succeeded: adopts the new residuals. Elements that were not encoded keep theirs.
    /// Call `undelivered` first for elements that are not in the result.
    void commit() { committed_ = proposed_; }

    /// The round failed: drops the new residuals.
    void rollback() { proposed_ = committed_; }

    /// The elements from `begin` on are not in the result, as its contributors say, so that their
    /// residuals keep the whole of what was to be sent. `in` is the input of the round. Throws like
    /// `propose`.
    template <element V>
    void undelivered(std::size_t begin, std::span<const V> in);

    /// For codecs: `sums[i] = beta * e[begin + i] + in[i]`.
    template <element V>
    void add(std::size_t begin, std::span<const V> in, std::span<float> sums) const;

    /// For codecs: what will remain of the elements from `begin` on. Throws `errc::not_finite`, and
    /// changes nothing, if that has a NaN or an infinity, which would stay for ever.
    void propose(std::size_t begin, std::span<const float> remains);

private:
    void check_range(std::size_t begin, std::size_t size) const
    {
        PAPILIO_CHECK(begin <= committed_.size() && size <= committed_.size() - begin,
                      "there is a residual for each element of the vector");
    }

    float loaded(Stored stored) const noexcept
    {
        if constexpr (std::is_same_v<Stored, std::int8_t>)
            return static_cast<float>(stored) * options_.scale;
        else
            return static_cast<float>(stored);
    }

    Stored rounded(float value) const noexcept
    {
        if constexpr (std::is_same_v<Stored, std::int8_t>)
            return static_cast<std::int8_t>(
                std::nearbyint(std::clamp(value / options_.scale, -127.0f, 127.0f)));
        else if constexpr (std::is_same_v<Stored, bf16>)
            return Stored(std::clamp(value, -largest, largest));
        else
            return value;
    }

    template <class Value>
    static void check_finite(std::span<const Value> values)
    {
        if (!detail::all_finite(values))
            throw std::system_error(errc::not_finite, "only finite numbers can remain to be sent");
    }

    static constexpr float largest = detail::bf16_value(0x7f7f);  // that a bf16 can hold

    residual_options options_;
    std::vector<Stored> committed_;
    std::vector<Stored> proposed_;  // between rounds the same
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE {

template <class Stored>
residuals<Stored>::residuals(std::size_t size, residual_options options)
    : options_(options), committed_(size, Stored{}), proposed_(size, Stored{})
{
    if (!(options.beta >= 0) || !(options.beta <= 1))
        throw detail::bad_value("residual_options::beta", "0 to 1", options.beta);
    if (!(options.scale >= 0x1p-100f) || !std::isfinite(options.scale))
        throw detail::bad_value("residual_options::scale", "2^-100 or more, and finite",
                                options.scale);
}

template <class Stored>
void residuals<Stored>::set(std::span<const Stored> values)
{
    if (values.size() != size())
        throw detail::bad_value("the number of residuals to set", std::to_string(size()),
                                values.size());
    check_finite(values);
    committed_.assign(values.begin(), values.end());
    proposed_ = committed_;
}

template <class Stored>
template <element V>
void residuals<Stored>::undelivered(std::size_t begin, std::span<const V> in)
{
    std::vector<float> sums(in.size());
    add(begin, in, std::span<float>(sums));
    propose(begin, sums);
}

template <class Stored>
template <element V>
void residuals<Stored>::add(std::size_t begin, std::span<const V> in, std::span<float> sums) const
{
    check_range(begin, in.size());
    for (std::size_t i = 0; i < in.size(); ++i)
        sums[i] = options_.beta * loaded(committed_[begin + i]);
    detail::round_now(sums.data());
    for (std::size_t i = 0; i < in.size(); ++i) sums[i] += static_cast<float>(in[i]);
}

template <class Stored>
void residuals<Stored>::propose(std::size_t begin, std::span<const float> remains)
{
    check_range(begin, remains.size());
    check_finite(remains);
    for (std::size_t i = 0; i < remains.size(); ++i) proposed_[begin + i] = rounded(remains[i]);
}

}  // namespace papilio
