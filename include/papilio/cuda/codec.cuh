#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/launch.cuh>
#include <papilio/cuda/work.cuh>

// The codecs on a GPU: the bytes that those of `papilio/codec` write and read, to and from the
// memory of a device. All calls return at once, having put one kernel into `stream`; none
// allocates, copies or waits. Spans are of device memory.
namespace papilio::inline PAPILIO_MODE::cuda {

/// Encodes `values` into `output`, which has at least `codec.bound<float>(values.size())` bytes, as
/// `codec.encode` would. For numbers that it would refuse, `*refused` becomes one and the bytes are
/// unspecified.
template <class Codec>
void encode(Codec codec, std::span<const float> values, mutable_bytes output, flag* refused,
            cudaStream_t stream)
{
    detail::launch(detail::encode_work(codec, values, output, refused), values.size(), stream);
}

/// Fills `out` as `codec.decode` would. Throws `errc::bad_message` for a wrong number of bytes; for
/// other bytes that no encoder could have written, `*refused` becomes one and `out` is unspecified.
template <class Codec>
void decode(Codec codec, bytes encoded, std::span<float> out, flag* refused, cudaStream_t stream)
{
    detail::launch(detail::decode_work<false>(codec, encoded, out, refused), out.size(), stream);
}

/// Adds to `sums` what `decode` would write, rounding once.
template <class Codec>
void accumulate(Codec codec, bytes encoded, std::span<float> sums, flag* refused,
                cudaStream_t stream)
{
    detail::launch(detail::decode_work<true>(codec, encoded, sums, refused), sums.size(), stream);
}

/// Reduces `contributions`, from 1 to 128 encoded runs in rank order, into `out`: by `sum`, `mean`
/// or `weighted_mean`, which alone reads `weights`. Lists and weights are read on the host, at
/// once. `refused` has a flag for each contribution, which tells that this one cannot be decoded,
/// and one more.
template <class Op, class From>
void reduce(Op op, From from, std::span<const bytes> contributions, std::span<const double> weights,
            std::span<float> out, flag* refused, cudaStream_t stream)
{
    detail::launch(detail::reduce_work(op, from, identity{}, out.size(), contributions, weights,
                                       mutable_bytes{}, out, refused),
                   out.size(), stream);
}

/// Reduces likewise and encodes the `n` elements of the result by `back`, into `output`. `out`,
/// unless it is empty, gets what everybody will decode. The last of the flags tells that `back`
/// cannot take the result.
template <class Op, class From, class Back>
void reduce_and_encode(Op op, From from, std::span<const bytes> contributions,
                       std::span<const double> weights, std::size_t n, Back back,
                       mutable_bytes output, std::span<float> out, flag* refused,
                       cudaStream_t stream)
{
    detail::launch(
        detail::reduce_work(op, from, back, n, contributions, weights, output, out, refused), n,
        stream);
}

}  // namespace papilio::cuda
