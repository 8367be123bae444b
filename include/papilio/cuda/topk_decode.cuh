#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/reduce_stripe.cuh>
#include <papilio/cuda/sparse_formats.cuh>
#include <papilio/cuda/team.cuh>
#include <papilio/cuda/topk_encode.cuh>

// topk back to elements, a team for each chunk.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// One chunk of `k` values among `size` elements, as it came.
template <class Codec>
struct encoded_chunk {
    using spec = sparse<Codec>;
    using format = typename spec::format;

    const std::byte* values = nullptr;
    std::size_t size = 0;
    std::size_t k = 0;

    PAPILIO_DEVICE encoded_chunk(const std::byte* all, std::size_t n, std::size_t index)
        : values(all + spec::begin(index))
    {
        const auto rest = n - index * spec::chunk;
        size = rest < spec::chunk ? rest : spec::chunk;
        k = spec::share(size);
    }

    PAPILIO_DEVICE sparse_header header() const
    {
        const std::uint16_t second = format::header_bytes == 4 ? load16(values + 2) : 0;
        return {load16(values), second};
    }
    PAPILIO_DEVICE std::uint32_t code(std::size_t i) const
    {
        return packed_number(values + format::header_bytes, i, format::bits);
    }
    PAPILIO_DEVICE std::uint32_t place(std::size_t i) const
    {
        return packed_number(values + spec::value_bytes(k), i, spec::place_bits);
    }

    /// Calls `take(place, value)` for each, in no order, all of whose places are below `size`.
    /// False if this is no chunk that an encoder could have written: then `take` may have been
    /// called for some.
    template <class Team, class Take>
    PAPILIO_DEVICE bool read(const Team& team, const Take& take) const
    {
        typename Team::template lanes<bool> enough, wrong;
        const auto by = header();
        const auto limits = format::limits(by);
        team.each([&](int lane) {
            if (lane == 0) wrong[lane] = !padded();
            for (auto i = static_cast<std::size_t>(lane); i < k; i += team_size) {
                const auto here = place(i), heavy = format::weight(code(i));
                const bool ascends = here < size && (i == 0 || place(i - 1) < here);
                if (heavy >= limits.least) enough[lane] = true;
                if (heavy > limits.most || !ascends) wrong[lane] = true;
                if (here < size) take(here, format::value(code(i), by));
            }
        });
        const auto wrongs = team.count(wrong);
        return team.count(enough) > 0 && wrongs == 0;
    }

private:
    /// Whether only zeros fill up the last bytes.
    PAPILIO_DEVICE bool padded() const
    {
        return rest_of(values + format::header_bytes, format::bits) &&
               rest_of(values + spec::value_bytes(k), spec::place_bits);
    }
    PAPILIO_DEVICE bool rest_of(const std::byte* packed, int bits) const
    {
        const auto used = k * static_cast<std::size_t>(bits);
        return used % 8 == 0 || static_cast<std::uint32_t>(packed[used / 8]) >> used % 8 == 0;
    }
};

/// Fills with zeros and what was sent.
template <class Codec>
struct decode_chunk {
    struct room_type {};
    static constexpr std::size_t unit = sparse<Codec>::chunk;

    const std::byte* from = nullptr;
    float* values = nullptr;
    std::size_t n = 0;
    flag* refused = nullptr;

    template <class Team>
    PAPILIO_DEVICE void operator()(const Team& team, room_type&, std::size_t index) const
    {
        const encoded_chunk<Codec> chunk(from, n, index);
        float* to = values + index * sparse<Codec>::chunk;
        team.each([&](int lane) {
            for (auto i = static_cast<std::size_t>(lane); i < chunk.size; i += team_size) to[i] = 0;
        });
        if (!chunk.read(team, [&](std::uint32_t place, float x) { to[place] = x; })) raise(refused);
    }
};

/// Adds what was sent to it, and touches nothing else: a sum of -0 stays what it is.
template <class Codec>
struct accumulate_chunk {
    struct room_type {};
    static constexpr std::size_t unit = sparse<Codec>::chunk;

    const std::byte* from = nullptr;
    float* sums = nullptr;
    std::size_t n = 0;
    flag* refused = nullptr;

    template <class Team>
    PAPILIO_DEVICE void operator()(const Team& team, room_type&, std::size_t index) const
    {
        const encoded_chunk<Codec> chunk(from, n, index);
        float* to = sums + index * sparse<Codec>::chunk;
        const auto add = [&](std::uint32_t place, float x) { to[place] = plus(to[place], x); };
        if (!chunk.read(team, add)) raise(refused);
    }
};

/// Each contribution becomes whole in shared memory, and is added to sums in registers.
template <class Codec, class Back>
struct reduce_chunk {
    static constexpr std::size_t unit = sparse<Codec>::chunk;

    /// Trivial, as all shared memory has to be.
    struct room_type {
        alignas(16) float dense[unit];
    };

    contributions of;
    reduced<Back> into;

    template <class Team>
    PAPILIO_DEVICE void operator()(const Team& team, room_type& output, std::size_t index) const
    {
        typename Team::template lanes<strand<unit>> sums;
        for (int k = 0; k < of.count; ++k) {
            const encoded_chunk<Codec> chunk(of.at[k], into.to.n, index);
            for_each_own(
                team, [&](int, int, float& dense) { dense = 0; }, output);
            const auto take = [&](std::uint32_t place, float x) { output.dense[place] = x; };
            if (!chunk.read(team, take)) raise(into.refused + k);
            for_each_own(
                team,
                [&](int lane, int row, float& dense) {
                    sums[lane].at[row] = of.with(sums[lane].at[row], k, dense);
                },
                output);
        }
        for_each_own(
            team, [&](int lane, int row, float& dense) { dense = of.result(sums[lane].at[row]); },
            output);
        const std::size_t begin = index * unit;
        team.each_warp([&](const auto& warp, int first) {
            for (auto at = static_cast<std::size_t>(first) * tile_size; at < unit;
                 at += team_warps * tile_size)
                put(warp, output, begin, at);
        });
    }

private:
    /// `work(lane, row, element)` for every element of the output, by the lane that sums it up.
    template <class Team, class Work>
    PAPILIO_DEVICE static void for_each_own(const Team& team, const Work& work, room_type& output)
    {
        team.each([&](int lane) {
            for (int row = 0; row < strand<unit>::rows; ++row)
                work(lane, row, output.dense[row * team_size + lane]);
        });
    }

    template <class Warp>
    PAPILIO_DEVICE void put(const Warp& warp, const room_type& output, std::size_t begin,
                            std::size_t at) const
    {
        if (begin + at >= into.to.n) return;
        const auto rest = into.to.n - begin - at;
        const int size = rest < tile_size ? static_cast<int>(rest) : tile_size;
        typename Warp::template lanes<quad> values;
        load_values(warp, output.dense + at, values);
        into.put(warp, values, begin + at, size, into.aligned && size == tile_size,
                 into.refused + of.count);
    }
};

}  // namespace papilio::cuda::detail
