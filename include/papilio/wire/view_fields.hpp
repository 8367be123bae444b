#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// The fields that the messages about the views of a call share. What is read is what an honest
// peer writes, or `errc::bad_message` is thrown.
namespace papilio::inline PAPILIO_MODE::wire::detail {

/// A view of at most `most`, or `no_view`.
inline std::uint8_t get_view_or_none(field_reader& from, const char* what, std::uint8_t most)
{
    const auto value = from.get<std::uint8_t>();
    if (value > most && value != no_view)
        throw papilio::detail::bad_value(errc::bad_message, what,
                                         "at most " + std::to_string(most) + ", or 255 for none",
                                         value);
    return value;
}

inline void put_ranks(field_writer& to, const rank_set& ranks, std::size_t words)
{
    for (std::size_t i = 0; i < words; ++i) to.put(ranks.word(i));
}

inline rank_set get_ranks(field_reader& from, int peers)
{
    rank_set ranks;
    const auto words = rank_set::words(peers);
    for (std::size_t i = 0; i < words; ++i) {
        const auto word = from.get<std::uint64_t>();
        const auto used = static_cast<std::size_t>(peers) - 64 * i;
        require(used >= 64 || word >> used == 0, "a rank in a message", "below the number of peers",
                peers);
        ranks.set_word(i, word);
    }
    return ranks;
}

inline std::vector<double> get_weights(field_reader& from, int peers)
{
    std::vector<double> weights(static_cast<std::size_t>(peers));
    for (auto& weight : weights) {
        weight = from.get<double>();
        require(valid_weight(weight) || weight == unknown_weight, "a weight in a message",
                "at least 0 and below 2^53, or -1 if it is not known", weight);
    }
    return weights;
}

/// Of each part a u32, how many runs follow, and these.
template <class Run, class PutRest>
void put_runs(field_writer& to, const std::vector<std::vector<Run>>& parts, PutRest put_rest)
{
    for (const auto& runs : parts) {
        to.put(static_cast<std::uint32_t>(runs.size()));
        for (const auto& run : runs) {
            to.put(run.first);
            to.put(run.columns);
            to.put(run.version);
            put_rest(run);
        }
    }
}

/// Runs are read in ascending order, share no column and stay within their parts. Nothing is
/// allocated for more of them than there are bytes of `size` each for.
template <class Run, class GetRest>
std::vector<std::vector<Run>> get_runs(field_reader& from, const call_extent& of, std::size_t size,
                                       std::uint8_t newest, GetRest get_rest)
{
    std::vector<std::vector<Run>> parts(of.parts);
    for (auto& runs : parts) {
        const auto count = from.get<std::uint32_t>();
        require(count <= of.columns && count <= from.left() / size, "the number of runs of a part",
                "what columns and bytes allow", count);
        runs.reserve(count);
        std::uint32_t begin = 0;  // of what is left of the part
        for (std::uint32_t i = 0; i < count; ++i) {
            Run run;
            run.first = get_between(from, "the first column of a run", begin, of.columns);
            run.columns = get_between(from, "the number of columns of a run", std::uint32_t{1},
                                      of.columns - run.first);
            run.version = get_between(from, "the version of a run", std::uint8_t{0}, newest);
            get_rest(run);
            begin = run.first + run.columns;
            runs.push_back(std::move(run));
        }
    }
    return parts;
}

}  // namespace papilio::wire::detail
