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

    std::uint64_t own() const noexcept { return own_; }

    /// A yes of `peer` is about this result; it speaks for so many peers.
    void note(int peer, std::size_t peers, std::uint64_t digest)
    {
        if (digest == 0) return;
        if (first_.peers == 0 || first_.digest == digest)
            first_.add(peer, peers, digest);
        else
            add_other(peer, peers, digest);
    }

    /// What this peer's yes is about: to a later stage, if it does not hold the result, what all of
    /// its block have voted for.
    std::uint64_t told(int stage) const noexcept
    {
        return own_ == 0 && stage > 0 ? first_.digest : own_;
    }

    /// Results have been found to differ.
    bool differ() const noexcept { return differ_; }

    /// Those who have voted hold different results.
    bool disagree() const noexcept { return !others_.empty(); }

    /// What all who have voted hold; 0 if none of them has told.
    std::uint64_t common() const noexcept { return first_.digest; }

    /// One who holds another result than more than half of those who have voted; -1 if no result is
    /// that of more than half.
    int odd_one() const
    {
        auto all = others_;
        all.push_back(first_);
        const auto most = std::ranges::max_element(all, {}, &holders::peers);
        std::size_t total = 0;
        for (const auto& h : all) total += h.peers;
        if (2 * most->peers <= total) return -1;
        all.erase(most);
        return std::ranges::min_element(all, {}, &holders::lowest)->lowest;
    }

    /// Throws a `call_error` of peer `me` if this peer or those who have voted hold different
    /// results. It names the odd one. This peer's own result is complete.
    void compare(int me)
    {
        const bool as_own = own_ == 0 || first_.peers == 0 || own_ == first_.digest;
        if (as_own && others_.empty()) return;
        note(me, 1, own_);
        differ_ = true;
        throw call_error(errc::corrupted, odd_one(), me, phase::vote,
                         "the peers hold different results, as the digests in their votes show");
    }

private:
    /// Those who hold the same.
    struct holders {
        std::uint64_t digest = 0;
        std::size_t peers = 0;
        int lowest = -1;

        void add(int peer, std::size_t more, std::uint64_t what) noexcept
        {
            digest = what;
            lowest = peers == 0 ? peer : std::min(lowest, peer);
            peers += more;
        }
    };

    void add_other(int peer, std::size_t peers, std::uint64_t digest)
    {
        auto found = std::ranges::find(others_, digest, &holders::digest);
        if (found == others_.end()) found = others_.insert(found, holders{});
        found->add(peer, peers, digest);
    }

    std::uint64_t own_ = 0;
    holders first_;                // whose vote has come first, and the like
    std::vector<holders> others_;  // nobody, unless something is wrong
    bool differ_ = false;
};

}  // namespace papilio::detail
