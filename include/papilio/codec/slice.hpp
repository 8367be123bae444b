#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/encoded_size.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <system_error>

// Shared by codecs that encode and decode a run slice by slice.
namespace papilio::inline PAPILIO_MODE::detail {

template <std::size_t granule>
void check_slice(std::size_t begin, std::size_t size, std::size_t n)
{
    PAPILIO_CHECK(begin % granule == 0 && begin <= n && size <= n - begin &&
                      (size % granule == 0 || size == n - begin),
                  "slices begin and end at multiples of the granule");
}

/// Stores decoded floats, or adds them to the values in `to`.
template <bool adds, class V>
void put_decoded(const float* decoded, std::span<V> to)
{
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = adds ? to[i] + static_cast<V>(decoded[i]) : static_cast<V>(decoded[i]);
}

/// The base of a lossy codec that works slice by slice. It checks sizes, and makes the members of
/// `sliced_codec` of these two of `Codec`:
/// - `write(values, begin, n, output)` encodes a slice;
/// - `read<adds>(encoded, begin, n, out)` decodes a slice, or adds it to `out`.
/// `Codec::label()` is its name in messages.
template <class Codec>
struct slice_codec {
    static constexpr bool lossless = false;

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        encode_slice(values, 0, values.size(), output);
        return Codec::template bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        decode_slice(encoded, 0, out.size(), out);
    }

    template <element V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output) const
    {
        check_lossy_element<V>();
        PAPILIO_CHECK(output.size() >= Codec::template bound<V>(n),
                      "the output is too small for the encoded elements");
        check_slice<Codec::granule>(begin, values.size(), n);
        Codec::write(values, begin, n, output);
    }

    template <element V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        check_encoded<V>(encoded, begin, n, out.size());
        Codec::template read<false>(encoded, begin, n, out);
    }

    template <element V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        check_encoded<V>(encoded, begin, n, sums.size());
        Codec::template read<true>(encoded, begin, n, sums);
    }

protected:
    [[noreturn]] static void refuse(const char* why)
    {
        throw std::system_error(errc::bad_message, std::string(Codec::label()) + ": " + why);
    }

private:
    template <class V>
    static void check_encoded(bytes encoded, std::size_t begin, std::size_t n, std::size_t size)
    {
        check_lossy_element<V>();
        check_encoded_size(Codec::label(), encoded, Codec::template bound<V>(n));
        check_slice<Codec::granule>(begin, size, n);
    }
};

}  // namespace papilio::detail
