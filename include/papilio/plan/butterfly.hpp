#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Who meets whom in a mixed-radix butterfly over n peers. A radix vector r, whose product is n,
/// writes each rank in digits: rank = d[0] + r[0] (d[1] + r[1] (d[2] + ...)). In stage k the peers
/// meet that differ in digit k alone: r[k] of them, the nearest ranks first.
///
/// In each stage of a reduce-scatter a peer sends what the blocks of its partners own and keeps
/// what its own block owns; the all-gather runs back through the same stages. `{n}` is the direct
/// exchange, `{2, 2, ...}` recursive halving and doubling, `{m, k}` first within k sites of m
/// consecutive ranks and then between them, `{b, b, ...}` bcube. Every n has such a vector, and no
/// peer idles.
///
/// A *part* is known by the rank that owns it in the end. A stage's *contribution* is what a
/// *block* of peers, all that have met so far, contribute together.
class butterfly {
public:
    /// `radix` holds factors of 2 or more whose product is `peers`; empty stands for `{peers}`.
    /// Throws `errc::bad_argument` if it does not fit.
    explicit butterfly(int peers, std::span<const int> radix = {}) : strides_{1}
    {
        if (radix.empty()) {
            strides_.push_back(peers);
            return;
        }
        for (const int r : radix) {
            if (r < 2 || r > peers / strides_.back()) refuse(peers, radix);
            strides_.push_back(strides_.back() * r);
        }
        if (strides_.back() != peers) refuse(peers, radix);
    }

    int peers() const noexcept { return strides_.back(); }
    int stages() const noexcept { return static_cast<int>(strides_.size()) - 1; }
    int radix(int stage) const { return stride(stage + 1) / stride(stage); }

    int digit(int rank, int stage) const { return rank / stride(stage) % radix(stage); }

    /// The peer that `rank` meets in `stage` whose digit there is `digit`.
    int partner(int rank, int stage, int digit) const
    {
        return rank + (digit - this->digit(rank, stage)) * stride(stage);
    }

    /// The stage in which two peers meet; -1 if they never do.
    int meeting(int a, int b) const
    {
        for (int k = 0; k < stages(); ++k)
            if (digit(a, k) != digit(b, k)) return partner(a, k, digit(b, k)) == b ? k : -1;
        return -1;
    }

    /// The peers whose data is in `rank`'s contribution to `stage`: so many, consecutive,
    /// from `block` on.
    int block_size(int stage) const { return stride(stage); }
    int block(int rank, int stage) const { return rank - rank % stride(stage); }

    /// The parts that `rank`'s block owns once `stage` is over, in the order in which a message
    /// about all of them holds them: that of the next stage's digits, then the one after it, so
    /// that the messages of the next stage, in the order of digits, make up one of this stage.
    std::vector<int> parts_of(int rank, int stage) const
    {
        std::vector<int> parts{rank % stride(stage + 1)};
        for (int k = stage + 1; k < stages(); ++k) {
            std::vector<int> finer;
            finer.reserve(parts.size() * static_cast<std::size_t>(radix(k)));
            for (const int p : parts)
                for (int d = 0; d < radix(k); ++d) finer.push_back(p + d * stride(k));
            parts = std::move(finer);
        }
        return parts;
    }

private:
    int stride(int stage) const { return strides_[static_cast<std::size_t>(stage)]; }

    [[noreturn]] static void refuse(int peers, std::span<const int> radix)
    {
        std::string product;
        for (const int r : radix) product += (product.empty() ? "" : " x ") + std::to_string(r);
        throw std::system_error(errc::bad_argument,
                                "a radix vector's factors are 2 or more and multiply to the number "
                                "of peers: " +
                                    product + " does not suit " + std::to_string(peers));
    }

    std::vector<int> strides_;  // by stage, and at the end the number of peers
};

}  // namespace papilio
