#pragma once

#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/narrow.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/max.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace papilio {

/// An all-reduce, `sum` or `mean`, whose sums are exact and do not depend on the order of peers:
/// whoever adds up what they sent, in any order, gets the same bits, as an audit may have to.
///
/// First the peers agree on a scale for each 128 elements, that of the largest magnitude which any
/// of them has there (`int8b`'s scale). Then each sends its elements as multiples of that from -127
/// to 127, and integers are added. An element takes 8 bits to the owner of its part, 16 back (32
/// with more than 256 peers), and 0.25 for the scales. The error is half of a scale per peer: that
/// of `int8b` where peers are alike, more where one is much larger than the others. The result is
/// exact, so that nothing is lost on the way back.
///
/// Promises are `all_reduce`'s, and so are the arguments; a call takes two numbers of calls, and
/// with `call_options::call`, at most 524,286, that one and the next. `out` is written when both
/// calls are over, and may be `in`. A result beyond the largest element becomes that. Throws, on
/// all peers alike, `errc::not_finite` where somebody's data holds a NaN or an infinity, and
/// `errc::bad_message` where the scales agreed on are none that data could have. After M. Li et
/// al., "THC: accelerating distributed deep learning using tensor homomorphic compression" (2024).
template <transport Net, detail::elements In, detail::writable_elements Out, class Op = sum>
task<report> integer_all_reduce(Net& net, In&& in, Out&& out, Op op = {},
                                call_options options = {});

// Options come last, and the operation before them may be left out.

template <transport Net, detail::elements In, detail::writable_elements Out>
task<report> integer_all_reduce(Net& net, In&& in, Out&& out, call_options options)
{
    return integer_all_reduce(net, std::forward<In>(in), std::forward<Out>(out), sum{}, options);
}

}  // namespace papilio

namespace papilio::detail {

inline constexpr std::size_t integer_block = int8b::granule;
inline constexpr std::uint16_t no_scale = 0x7f80;  // larger than all scales: not finite

/// Whether `integer_scales` could have returned this for finite data.
constexpr bool is_integer_scale(std::uint16_t scale) noexcept
{
    return scale == 0 ||
           (scale >= int8b_format::smallest_scale && scale <= int8b_format::largest_scale);
}

/// The scale of each block by this peer's elements alone.
template <class T>
std::vector<std::uint16_t> integer_scales(std::span<const T> in)
{
    std::vector<std::uint16_t> scales;
    scales.reserve(in.size() / integer_block + 1);
    for_each_tile<integer_block>(in.size(), [&](std::size_t begin, auto size) {
        float block[integer_block] = {};
        for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<float>(in[begin + i]);
        const auto peak = largest_magnitude<integer_block>(block);
        scales.push_back(peak < float_infinity ? scale_of<int8b_format>(peak).bits : no_scale);
    });
    return scales;
}

/// Multiples of the agreed scales. What a peer has beyond a scale that it had no part in becomes
/// the largest multiple.
template <class Sum, class T>
std::vector<Sum> integer_codes(std::span<const T> in, std::span<const std::uint16_t> scales)
{
    std::vector<Sum> codes(in.size());
    for_each_tile<integer_block>(in.size(), [&](std::size_t begin, auto size) {
        const auto scale = scales[begin / integer_block];
        const float inverse = scale == 0 ? 0 : 1 / bf16_value(scale);
        float scaled[integer_block];
        for (std::size_t i = 0; i < size; ++i)
            scaled[i] = static_cast<float>(in[begin + i]) * inverse;
        round_now(scaled);
        // Adding 1.5 * 2^23 rounds to an integer, ties to even, and leaves it in the low bits.
        constexpr float rounder = 0x1.8p23f;
        for (std::size_t i = 0; i < size; ++i) {
            const float within = std::min(std::max(scaled[i], -127.0f), 127.0f) + rounder;
            codes[begin + i] = static_cast<Sum>(std::bit_cast<std::int32_t>(within) -
                                                std::bit_cast<std::int32_t>(rounder));
        }
    });
    return codes;
}

/// Sums times scales, which doubles hold exactly, over `divisor`.
template <class Sum, class T>
void integer_results(std::span<const Sum> sums, std::span<const std::uint16_t> scales, part range,
                     double divisor, std::span<T> out)
{
    using wide = accumulator_t<T>;
    constexpr auto most = static_cast<double>(std::numeric_limits<wide>::max());
    for_each_tile<integer_block>(range.size, [&](std::size_t tile, auto size) {
        const auto begin = range.begin + tile;
        wide results[integer_block];
        for (std::size_t i = 0; i < size; ++i) {
            const auto scale = static_cast<double>(bf16_value(scales[(begin + i) / integer_block]));
            const double result = static_cast<double>(sums[begin + i]) * scale / divisor;
            results[i] = static_cast<wide>(std::min(std::max(result, -most), most));
        }
        narrow_all(std::span<const wide>(results, size), out.subspan(begin, size));
    });
}

/// The second call: codes out, sums back.
template <class Sum, class T>
task<report> integer_sums(any_transport net, std::span<const T> in,
                          std::span<const std::uint16_t> scales, std::span<T> out, bool mean,
                          call_options options)
{
    std::vector<Sum> codes, sums(out.size());
    auto quantise = [&] { codes = integer_codes<Sum>(in, scales); };
    co_await offload(options.pool, quantise);
    using travels = two_way<narrow<std::int8_t>, identity>;
    task<report> summed = all_reduce_spans<Sum>(net, std::span<const Sum>(codes), std::span(sums),
                                                sum{}, travels{}, options);
    auto done = co_await summed;
    auto finish = [&] {
        for (const auto& made : done.made_of)
            integer_results(std::span<const Sum>(sums), scales, made.range,
                            mean ? static_cast<double>(made.from.size()) : 1, out);
    };
    co_await offload(options.pool, finish);
    co_return done;
}

/// What both rounds took together.
inline report both(const report& first, report second, duration late)
{
    for (std::size_t rank = 0; rank < second.peers.size(); ++rank) {
        second.peers[rank].sent += first.peers[rank].sent;
        second.peers[rank].received += first.peers[rank].received;
    }
    second.reduced += late;
    second.gathered += late;
    second.finished += late;
    return second;
}

/// Peers that go by the same scales find the same fault with them.
inline void check_scales(std::span<const std::uint16_t> agreed, std::span<const std::uint16_t> own)
{
    if (std::ranges::count(agreed, no_scale) + std::ranges::count(own, no_scale) > 0)
        throw std::system_error(errc::not_finite,
                                "integer_all_reduce takes only finite numbers, from every peer");
    if (!std::ranges::all_of(agreed, is_integer_scale))
        throw std::system_error(errc::bad_message,
                                "integer_all_reduce: a peer has sent a scale that no data has");
}

template <class T>
task<report> integer_all_reduce_spans(any_transport net, std::span<const T> in, std::span<T> out,
                                      bool mean, call_options options)
{
    loop& on = co_await this_loop{};
    const auto begin = on.now();
    if (in.size() != out.size() && !in.empty())
        refuse("integer_all_reduce: in and out differ in length");
    if (options.call >= max_call)
        refuse("integer_all_reduce takes two numbers: a call's is at most 524,286 here");
    std::vector<std::uint16_t> own;
    auto measure = [&] { own = integer_scales(in); };
    co_await offload(options.pool, measure);
    std::vector<std::uint16_t> scales((out.size() + integer_block - 1) / integer_block);
    task<report> agreed = all_reduce_spans<std::uint16_t>(
        net, std::span<const std::uint16_t>(own), std::span(scales), max{}, identity{}, options);
    const auto first = co_await agreed;
    check_scales(scales, own);

    const auto late = on.now() - begin;
    if (late >= options.timeout)
        throw std::system_error(errc::timed_out,
                                "integer_all_reduce: agreeing on scales took all "
                                "the time");
    options.timeout -= late;
    if (options.call != 0) ++options.call;
    task<report> summed = net.size() <= 256
                              ? integer_sums<std::int16_t, T>(net, in, scales, out, mean, options)
                              : integer_sums<std::int32_t, T>(net, in, scales, out, mean, options);
    auto second = co_await summed;
    co_return both(first, std::move(second), late);
}

}  // namespace papilio::detail

namespace papilio {

template <transport Net, detail::elements In, detail::writable_elements Out, class Op>
task<report> integer_all_reduce(Net& net, In&& in, Out&& out, Op, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T> && floating_element<T>,
                  "in and out hold elements of one floating-point type: sum integers by "
                  "all_reduce, which is exact already");
    static_assert(detail::is_one_of<Op, sum, mean>, "integers are added up: sum{} or mean{}");
    return detail::integer_all_reduce_spans<T>(
        any_transport(net), {std::ranges::data(in), std::ranges::size(in)},
        {std::ranges::data(out), std::ranges::size(out)}, std::same_as<Op, mean>, options);
}

}  // namespace papilio
