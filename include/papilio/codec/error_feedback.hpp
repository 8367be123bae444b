#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/residuals.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Adds the errors of earlier rounds to the data before it encodes them by `Codec`, and keeps the
/// new error: a = beta * e + g is sent as C(a), and e becomes a - D(C(a)). So every element is sent
/// in the end, however coarse the codec. After F. Seide et al., "1-bit stochastic gradient descent"
/// (2014), and S. P. Karimireddy et al., "Error feedback fixes SignSGD" (2019).
///
/// `memory` has one element per element of the whole vector, belongs to the caller and must outlive
/// the codec. After each round call its `commit()`, or `rollback()` if the round failed. Until then
/// a range may be encoded again, which gives the same bytes, and several threads may encode ranges
/// that do not overlap.
///
/// Bytes, id and errors are Codec's. Besides, `encode` throws `errc::not_finite` for a sum that is
/// not finite, even where Codec would accept it, since the residual could not recover. Results are
/// encoded as by Codec, without feedback.
template <class Codec, class Stored = float>
class error_feedback {
public:
    static constexpr codec_id id = Codec::id;
    static constexpr std::size_t granule = Codec::granule;
    static constexpr bool lossless = false;

    explicit error_feedback(residuals<Stored>& memory, Codec codec = {}) noexcept
        : memory_(&memory), codec_(codec)
    {
    }

    error_feedback at(std::size_t begin) const noexcept
    {
        error_feedback there(*memory_, detail::codec_at(codec_, begin));
        there.begin_ = begin;
        return there;
    }
    std::uint64_t parameters() const noexcept { return detail::codec_parameters(codec_); }
    auto back() const noexcept { return detail::codec_back(codec_); }

    template <element V>
    std::size_t bound(std::size_t n) const noexcept
    {
        return codec_.template bound<V>(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        detail::check_lossy_element<V>();
        std::vector<float> sums(values.size()), sent(values.size());
        memory_->add(begin_, values, std::span<float>(sums));
        const auto size = codec_.encode(std::span<const float>(sums), output);
        codec_.decode(bytes(output).first(size), std::span<float>(sent));
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] -= sent[i];
        memory_->propose(begin_, sums);
        return size;
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        codec_.decode(encoded, out);
    }

private:
    residuals<Stored>* memory_;
    Codec codec_;
    std::size_t begin_ = 0;
};

}  // namespace papilio
