#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/view_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// Those whose elements are in all chunks of a version.
struct version_contributors {
    std::uint8_t version = 0;
    rank_set contributors{};

    friend bool operator==(const version_contributors&, const version_contributors&) = default;
};

namespace detail {

constexpr std::size_t version_size(const call_extent& of) noexcept
{
    return 8 + rank_set_size(of);
}

/// The lists of all versions take at most this.
constexpr std::size_t largest_versions(const call_extent& of) noexcept
{
    return 8 + (1 + max_view) * version_size(of);
}

/// u8 how many follow, seven bytes of zero; each u8 version, seven bytes of zero, contributors.
inline void put_versions(field_writer& to, const std::vector<version_contributors>& versions,
                         std::size_t words)
{
    to.put(std::uint64_t{versions.size()});
    for (const auto& v : versions) {
        to.put(std::uint64_t{v.version});
        put_ranks(to, v.contributors, words);
    }
}

/// In ascending order, none above `newest`.
inline std::vector<version_contributors> get_versions(field_reader& from, const call_extent& of,
                                                      std::uint8_t newest)
{
    const auto count = get_between(from, "the number of versions", std::uint8_t{0},
                                   static_cast<std::uint8_t>(newest + 1));
    get_zeros(from, 7);
    std::vector<version_contributors> versions(count);
    std::uint8_t least = 0;
    for (auto& v : versions) {
        v.version = get_between(from, "a version", least, newest);
        get_zeros(from, 7);
        v.contributors = get_ranks(from, of.peers);
        least = static_cast<std::uint8_t>(v.version + 1);
    }
    return versions;
}

inline void require_listed(std::uint8_t version, const std::vector<version_contributors>& versions)
{
    require(std::ranges::count(versions, version, &version_contributors::version) == 1,
            "the version of a run", "among those of the message", version);
}

}  // namespace detail

}  // namespace papilio::wire
