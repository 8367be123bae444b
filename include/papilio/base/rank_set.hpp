#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// A set of ranks, which are read in ascending order. Groups of up to 64 peers need no memory of
/// their own.
class rank_set {
public:
    class iterator;

    rank_set() noexcept = default;
    rank_set(std::initializer_list<int> ranks)
    {
        for (const int rank : ranks) insert(rank);
    }

    /// All ranks of a group of so many peers.
    static rank_set of_all(int peers)
    {
        rank_set all;
        for (int begin = 0; begin < peers; begin += 64)
            all.set_word(static_cast<std::size_t>(begin) / 64,
                         ~std::uint64_t{0} >> std::max(0, 64 - (peers - begin)));
        return all;
    }

    /// How many words a set of the ranks of so many peers takes in messages.
    static constexpr std::size_t words(int peers) noexcept
    {
        return (static_cast<std::size_t>(peers) + 63) / 64;
    }

    /// Word i has bit k if rank 64 i + k is in the set.
    std::uint64_t word(std::size_t i) const noexcept
    {
        if (i == 0) return first_;
        return i <= more_.size() ? more_[i - 1] : 0;
    }

    void set_word(std::size_t i, std::uint64_t bits)
    {
        if (i == 0) {
            first_ = bits;
            return;
        }
        if (more_.size() < i) more_.resize(i);
        more_[i - 1] = bits;
        while (!more_.empty() && more_.back() == 0) more_.pop_back();  // equal sets look the same
    }

    bool contains(int rank) const noexcept
    {
        return rank >= 0 && (word(word_of(rank)) & bit_of(rank)) != 0;
    }

    /// Whether it was not there.
    bool insert(int rank)
    {
        PAPILIO_CHECK(rank >= 0, "a rank is not negative");
        const bool added = !contains(rank);
        if (added) set_word(word_of(rank), word(word_of(rank)) | bit_of(rank));
        return added;
    }

    /// Whether it was there.
    bool erase(int rank)
    {
        const bool there = contains(rank);
        if (there) set_word(word_of(rank), word(word_of(rank)) & ~bit_of(rank));
        return there;
    }

    int size() const noexcept
    {
        int bits = std::popcount(first_);
        for (const auto w : more_) bits += std::popcount(w);
        return bits;
    }

    bool empty() const noexcept { return first_ == 0 && more_.empty(); }

    bool intersects(const rank_set& other) const noexcept
    {
        for (std::size_t i = 0; i <= std::min(more_.size(), other.more_.size()); ++i)
            if ((word(i) & other.word(i)) != 0) return true;
        return false;
    }

    /// Whether all of `other` are in it.
    bool includes(const rank_set& other) const noexcept
    {
        for (std::size_t i = 0; i <= other.more_.size(); ++i)
            if ((other.word(i) & ~word(i)) != 0) return false;
        return true;
    }

    rank_set& operator|=(const rank_set& other)
    {
        for (std::size_t i = other.more_.size() + 1; i-- > 0;) set_word(i, word(i) | other.word(i));
        return *this;
    }

    rank_set& operator&=(const rank_set& other)
    {
        for (std::size_t i = more_.size() + 1; i-- > 0;) set_word(i, word(i) & other.word(i));
        return *this;
    }

    rank_set& operator-=(const rank_set& other)
    {
        for (std::size_t i = more_.size() + 1; i-- > 0;) set_word(i, word(i) & ~other.word(i));
        return *this;
    }

    friend rank_set operator|(rank_set a, const rank_set& b) { return a |= b; }
    friend rank_set operator&(rank_set a, const rank_set& b) { return a &= b; }
    friend rank_set operator-(rank_set a, const rank_set& b) { return a -= b; }
    friend bool operator==(const rank_set&, const rank_set&) = default;

    iterator begin() const noexcept;
    iterator end() const noexcept;

private:
    static constexpr std::size_t word_of(int rank) noexcept
    {
        return static_cast<std::size_t>(rank) / 64;
    }
    static constexpr std::uint64_t bit_of(int rank) noexcept
    {
        return std::uint64_t{1} << (static_cast<unsigned>(rank) % 64);
    }

    int beyond() const noexcept { return 64 * (1 + static_cast<int>(more_.size())); }

    /// The lowest rank in the set that is at least `rank`, or `beyond()`.
    int from(int rank) const noexcept
    {
        while (rank < beyond()) {
            const auto left = word(word_of(rank)) >> (static_cast<unsigned>(rank) % 64);
            if (left != 0) return rank + std::countr_zero(left);
            rank += 64 - rank % 64;
        }
        return beyond();
    }

    std::uint64_t first_ = 0;
    std::vector<std::uint64_t> more_;  // its last word is not 0
};

/// Valid until the set is changed.
class rank_set::iterator {
public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    int operator*() const noexcept { return rank_; }
    iterator& operator++() noexcept
    {
        rank_ = set_->from(rank_ + 1);
        return *this;
    }
    iterator operator++(int) noexcept
    {
        const auto before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const iterator&, const iterator&) = default;

private:
    friend class rank_set;
    iterator(const rank_set& set, int rank) noexcept : set_(&set), rank_(rank) {}

    const rank_set* set_ = nullptr;
    int rank_ = 0;
};

inline rank_set::iterator rank_set::begin() const noexcept
{
    return {*this, from(0)};
}

inline rank_set::iterator rank_set::end() const noexcept
{
    return {*this, beyond()};
}
static_assert(std::forward_iterator<rank_set::iterator>);

}  // namespace papilio
