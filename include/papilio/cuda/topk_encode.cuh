#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/sparse_formats.cuh>
#include <papilio/cuda/team.cuh>
#include <papilio/cuda/tile.cuh>

#include <type_traits>

// topk, a team for each chunk: its elements are read once and stay in registers, and only what
// might be among the largest goes through shared memory.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// Elements of a chunk, `team_size` apart, in one lane's registers.
template <std::size_t Chunk>
struct strand {
    static constexpr int rows = static_cast<int>(Chunk) / team_size;
    float at[rows] = {};
};

/// Trivial, as all shared memory has to be.
template <class Codec>
struct topk_encode_room {
    static constexpr std::size_t chunk = sparse<Codec>::chunk;

    team_buffer team;
    std::uint16_t header[2];
    std::uint32_t found;
    std::uint32_t candidates[chunk];         // magnitudes
    std::uint32_t above[chunk / warp_size];  // a bit for each element
    std::uint32_t equal[chunk / warp_size];
    std::uint32_t before[chunk / warp_size];  // how many of both stand before these bits
    float chosen[sparse<Codec>::most];
    std::uint16_t places[sparse<Codec>::most];
};

template <class Codec>
struct encode_chunk {
    using spec = sparse<Codec>;
    using format = typename spec::format;
    using room_type = topk_encode_room<Codec>;
    static constexpr std::size_t unit = spec::chunk;

    const float* values = nullptr;
    std::size_t n = 0;
    std::byte* to = nullptr;
    flag* refused = nullptr;

    template <class Team>
    PAPILIO_DEVICE void operator()(const Team& team, room_type& output, std::size_t index) const
    {
        const float* from = values + index * spec::chunk;
        const auto rest = n - index * spec::chunk;
        const auto size = rest < spec::chunk ? rest : spec::chunk;
        const auto k = static_cast<int>(spec::share(size));

        strands<Team> mine;
        counts<Team> largest;
        team.each([&](int lane) {
            for (int row = 0; row < rows; ++row) {
                const auto i = static_cast<std::size_t>(row * team_size + lane);
                mine[lane].at[row] = i < size ? from[i] : 0;
            }
            for (const float x : mine[lane].at)
                if (magnitude_bits(x) > largest[lane]) largest[lane] = magnitude_bits(x);
            if (lane == 0) output.found = 0;
        });
        const auto peak = team.largest(largest, output.team);
        if (peak >= common::float_infinity) {
            raise(refused);
            return;
        }
        const auto least = threshold(team, largest, peak, k);
        gather(team, output, mine, least);
        const auto low = smallest_chosen(team, output, least, peak, k);
        choose(team, output, mine, low, k);
        write(team, output, static_cast<std::size_t>(k), std::bit_cast<float>(peak),
              to + spec::begin(index));
    }

private:
    static constexpr int rows = strand<spec::chunk>::rows;
    template <class Team>
    using strands = typename Team::template lanes<strand<spec::chunk>>;
    template <class Team>
    using counts = typename Team::template lanes<std::uint32_t>;
    template <class Team>
    using flags = typename Team::template lanes<bool>;

    /// A magnitude that at least `k` lanes' largest reach, and if it can be had not many more: so
    /// at least `k` elements reach it, and seldom many more do.
    template <class Team>
    PAPILIO_DEVICE static std::uint32_t threshold(const Team& team, const counts<Team>& largest,
                                                  std::uint32_t peak, int k)
    {
        std::uint32_t low = 0, high = k <= team_size ? peak + 1 : 0;
        while (high > low + 1) {
            const auto middle = low + (high - low) / 2;
            flags<Team> reaches;
            team.each([&](int lane) { reaches[lane] = largest[lane] >= middle; });
            const auto count = team.count(reaches);
            (count >= k ? low : high) = middle;
            if (count >= k && count <= k + k / 8) break;
        }
        return low;
    }

    /// Notes every magnitude that reaches `least`, in no order.
    template <class Team>
    PAPILIO_DEVICE static void gather(const Team& team, room_type& output,
                                      const strands<Team>& mine, std::uint32_t least)
    {
        team.each([&](int lane) {
            std::uint32_t count = 0;
            for (const float x : mine[lane].at) count += magnitude_bits(x) >= least ? 1 : 0;
            if (count == 0) return;
            auto at = Team::add(output.found, count);
            for (const float x : mine[lane].at)
                if (magnitude_bits(x) >= least) output.candidates[at++] = magnitude_bits(x);
        });
    }

    template <class Team>
    PAPILIO_DEVICE static int count_from(const Team& team, const room_type& output,
                                         std::uint32_t least)
    {
        int total = 0;
        const auto found = output.found;
        for (std::uint32_t begin = 0; begin < found; begin += team_size) {
            flags<Team> reaches;
            team.each([&](int lane) {
                const auto i = begin + static_cast<std::uint32_t>(lane);
                reaches[lane] = i < found && output.candidates[i] >= least;
            });
            total += team.count(reaches);
        }
        return total;
    }

    /// The `k`th largest magnitude, or one below it that no other element has.
    template <class Team>
    PAPILIO_DEVICE static std::uint32_t smallest_chosen(const Team& team, const room_type& output,
                                                        std::uint32_t low, std::uint32_t peak,
                                                        int k)
    {
        std::uint32_t high = peak + 1;
        while (high - low > 1) {
            const auto middle = low + (high - low) / 2;
            const auto count = count_from(team, output, middle);
            (count >= k ? low : high) = middle;
            if (count == k) break;
        }
        return low;
    }

    /// All above `low`, and of those equal to it the first that are wanted, in the order of places.
    template <class Team>
    PAPILIO_DEVICE static void choose(const Team& team, room_type& output,
                                      const strands<Team>& mine, std::uint32_t low, int k)
    {
        const auto ties = static_cast<std::uint32_t>(k - count_from(team, output, low + 1));
        for (int row = 0; row < rows; ++row) {
            flags<Team> above, equal;
            team.each([&](int lane) {
                above[lane] = magnitude_bits(mine[lane].at[row]) > low;
                equal[lane] = magnitude_bits(mine[lane].at[row]) == low;
            });
            team.mark(above, output.above + row * team_warps);
            team.mark(equal, output.equal + row * team_warps);
        }
        team.meet();

        counts<Team> both;
        team.each([&](int lane) {
            if (lane < rows * team_warps)
                both[lane] = ones_in(output.above[lane]) | ones_in(output.equal[lane]) << 16;
        });
        const auto before = team.sums_before(both, output.team);
        team.each([&](int lane) {
            if (lane < rows * team_warps) output.before[lane] = before[lane];
        });
        team.each([&](int lane) {
            for (int row = 0; row < rows; ++row)
                place(output, row * team_size + lane, mine[lane].at[row], ties);
        });
    }

    PAPILIO_DEVICE static void place(room_type& output, int i, float x, std::uint32_t ties)
    {
        const auto word = i / warp_size;
        const auto bit = 1u << i % warp_size;
        const auto is_above = (output.above[word] & bit) != 0,
                   is_equal = (output.equal[word] & bit) != 0;
        if (!is_above && !is_equal) return;
        const auto above = (output.before[word] & 0xffff) + ones_in(output.above[word] & (bit - 1));
        const auto equal = (output.before[word] >> 16) + ones_in(output.equal[word] & (bit - 1));
        if (is_equal && equal >= ties) return;
        const auto at = above + (equal < ties ? equal : ties);
        output.chosen[at] = x;
        output.places[at] = static_cast<std::uint16_t>(i);
    }

    template <class Team>
    PAPILIO_DEVICE static void write(const Team& team, room_type& output, std::size_t k, float peak,
                                     std::byte* values_to)
    {
        team.each([&](int lane) {
            if (lane != 0) return;
            const auto header = format::header(output.chosen, k, peak);
            output.header[0] = header.first;
            output.header[1] = header.second;
        });
        const sparse_header by{output.header[0], output.header[1]};
        std::byte* codes_to = values_to + format::header_bytes;
        std::byte* places_to = values_to + spec::value_bytes(k);
        const auto code = [&](std::size_t i) { return format::code(output.chosen[i], by); };
        const auto where = [&](std::size_t i) { return std::uint32_t{output.places[i]}; };
        team.each([&](int lane) {
            const auto first = static_cast<std::size_t>(lane);
            if (lane == 0) store16(values_to, by.first);
            if (lane == 0 && format::header_bytes == 4) store16(values_to + 2, by.second);
            for (auto i = first; i < (k * format::bits + 7) / 8; i += team_size)
                codes_to[i] = packed_byte(i, format::bits, k, code);
            for (auto i = first; i < spec::place_bytes(k); i += team_size)
                places_to[i] = packed_byte(i, spec::place_bits, k, where);
        });
    }
};

}  // namespace papilio::cuda::detail
