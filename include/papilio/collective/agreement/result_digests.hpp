#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a chunk of the result adds to the digest of the whole, by the bytes that carry it to
/// others. A chunk without elements adds nothing.
inline std::uint64_t chunk_digest(part where, bytes encoded) noexcept
{
    return where.size == 0 ? 0 : hash(where.begin, where.size, crc32c(encoded));
}

/// The result of a call as a number, and as what others have voted for. Chunks may come in any
/// order. 0 stands for a result of which no digest is made, which is compared with none.
///
/// Where two voters hold different results nobody succeeds, since everybody hears of both of them,
/// or of none: with one of the two whoever compares does not agree. So the call fails for certain.
class result_digests {
public:
    /// Of this peer's own result, which is complete when it votes.
    void add(std::uint64_t chunk) noexcept { own_ += chunk; }

    /// A yes of `peer` is about this result; it speaks for so many peers.
    void note(int peer, std::size_t peers, std::uint64_t digest)
    {
        if (digest != 0) voted_.push_back({peer, peers, digest});
    }

    /// What this peer's yes is about: to a later stage, if it does not hold the result, what all of
    /// its block have voted for.
    std::uint64_t told(int stage) const
    {
        const bool heard = own_ == 0 && stage > 0 && !voted_.empty();
        return heard ? voted_.front().digest : own_;
    }

    /// Results have been found to differ.
    bool differ() const noexcept { return differ_; }

    /// Throws a `call_error` of peer `me` if this peer or those who have voted hold different
    /// results. It names one of whom more than half hold another, and nobody if there is none. This
    /// peer's own result is complete.
    void compare(int me)
    {
        auto all = voted_;
        if (own_ != 0) all.push_back({me, 1, own_});
        const auto alike = [&](const held& h) { return h.digest == all.front().digest; };
        if (std::ranges::all_of(all, alike)) return;
        differ_ = true;
        throw call_error(errc::corrupted, odd_one(all), me, phase::vote,
                         "the peers hold different results, as the digests in their votes show");
    }

private:
    struct held {
        int peer;
        std::size_t peers;
        std::uint64_t digest;
    };

    static int odd_one(const std::vector<held>& all)
    {
        std::size_t total = 0;
        for (const auto& h : all) total += h.peers;
        for (const auto& one : all) {
            std::size_t alike = 0;
            int other = -1;
            for (const auto& h : all)
                if (h.digest == one.digest)
                    alike += h.peers;
                else if (other < 0 || h.peer < other)
                    other = h.peer;
            if (2 * alike > total) return other;
        }
        return -1;
    }

    std::uint64_t own_ = 0;
    std::vector<held> voted_;
    bool differ_ = false;
};

}  // namespace papilio::detail
