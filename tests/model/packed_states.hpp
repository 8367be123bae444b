#pragma once

#include <papilio/base/random.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// States as bits: millions of them fit into memory, and are told apart exactly.
namespace papilio::model {

namespace detail {

constexpr int width(unsigned choices) noexcept
{
    return static_cast<int>(std::bit_width(choices - 1));
}

struct bit_counter {
    int* bits;

    template <class Field>
    void operator()(Field&, unsigned choices, int = -1) const
    {
        *bits += width(choices);
    }
};

/// Appends fields to zeroed words.
struct bit_writer {
    std::uint64_t* to;
    int at = 0;

    /// `last` is the value that takes the place of the last choice, if there is such a one.
    template <class Field>
    void operator()(const Field& field, unsigned choices, int last = -1)
    {
        const auto plain = static_cast<unsigned>(field);
        const std::uint64_t value = static_cast<int>(plain) == last ? choices - 1 : plain;
        const auto word = at / 64, shift = at % 64;
        to[word] |= value << shift;
        if (shift + width(choices) > 64) to[word + 1] |= value >> (64 - shift);
        at += width(choices);
    }
};

struct bit_reader {
    const std::uint64_t* from;
    int at = 0;

    template <class Field>
    void operator()(Field& field, unsigned choices, int last = -1)
    {
        const auto word = at / 64, shift = at % 64;
        auto value = from[word] >> shift;
        if (shift + width(choices) > 64) value |= from[word + 1] << (64 - shift);
        value &= (std::uint64_t{1} << width(choices)) - 1;
        at += width(choices);
        field = static_cast<Field>(
            last >= 0 && value == choices - 1 ? static_cast<std::uint64_t>(last) : value);
    }
};

}  // namespace detail

/// The states that were found, each once, in the order in which they were.
template <class Model>
class packed_states {
public:
    using state = typename Model::state;

    explicit packed_states(const Model& model) : model_(model), slots_(std::size_t{1} << 16, empty)
    {
        int total = 0;
        auto first = model.initial();
        model.visit_fields(first, detail::bit_counter{&total});
        words_ = static_cast<std::size_t>(total + 63) / 64;
        fresh_.resize(words_);
    }

    std::size_t size() const noexcept { return all_.size() / words_; }

    /// Whether the state is new.
    bool insert(const state& s)
    {
        std::ranges::fill(fresh_, 0u);
        model_.visit_fields(s, detail::bit_writer{fresh_.data()});
        const auto slot = slot_of(fresh_);
        if (slots_[slot] != empty) return false;
        slots_[slot] = static_cast<std::uint32_t>(size());
        all_.insert(all_.end(), fresh_.begin(), fresh_.end());
        if (size() > slots_.size() / 2) grow();
        return true;
    }

    state operator[](std::size_t i) const
    {
        auto s = model_.initial();
        model_.visit_fields(s, detail::bit_reader{all_.data() + i * words_});
        return s;
    }

private:
    static constexpr std::uint32_t empty = ~std::uint32_t{0};

    std::span<const std::uint64_t> packed(std::size_t i) const
    {
        return std::span(all_).subspan(i * words_, words_);
    }

    /// Where the state is, or belongs.
    std::size_t slot_of(std::span<const std::uint64_t> words) const
    {
        std::uint64_t mixed = 0;
        for (const auto word : words) mixed = hash(mixed, word);
        auto slot = mixed & (slots_.size() - 1);
        while (slots_[slot] != empty && !std::ranges::equal(packed(slots_[slot]), words))
            slot = (slot + 1) & (slots_.size() - 1);
        return slot;
    }

    void grow()
    {
        slots_.assign(2 * slots_.size(), empty);
        for (std::size_t i = 0; i < size(); ++i)
            slots_[slot_of(packed(i))] = static_cast<std::uint32_t>(i);
    }

    const Model& model_;
    std::size_t words_ = 0;  // of each state
    std::vector<std::uint64_t> all_;
    std::vector<std::uint32_t> slots_;  // a hash table of numbers of states
    std::vector<std::uint64_t> fresh_;
};

}  // namespace papilio::model
