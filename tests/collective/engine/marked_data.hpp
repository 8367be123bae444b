#pragma once

#include <papilio/base/error.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/setup/call_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace papilio::test {

inline std::vector<std::byte> bytes_of(std::string_view text)
{
    std::vector<std::byte> all(text.size());
    std::ranges::transform(text, all.begin(), [](char c) { return static_cast<std::byte>(c); });
    return all;
}

/// An entry of up to eight bytes behind its length.
inline std::string entry(std::string text)
{
    std::string length(8, '\0');
    length[0] = static_cast<char>(text.size());
    text.resize(8);
    return length + text;
}

/// Letters as elements, which travel behind a mark: `o` for a peer's own ones, `r` for results.
/// Question marks cannot be encoded.
class marked_data final : public detail::call_data {
public:
    marked_data(bytes in, mutable_bytes out, bool verbatim = false)
        : call_data({.granule = 2, .verbatim = verbatim}, in, out)
    {
    }

    std::size_t bound(detail::content, std::size_t elements) const override
    {
        return elements == 0 ? 0 : elements + mark_size();
    }

    std::size_t encode(detail::content kind, std::size_t, bytes elements,
                       mutable_bytes to) const override
    {
        if (elements.empty()) return 0;
        if (std::ranges::find(elements, std::byte{'?'}) != elements.end())
            throw std::system_error(errc::not_finite, "a question mark");
        if (!kind_is_verbatim())
            to[0] = kind == detail::content::own ? std::byte{'o'} : std::byte{'r'};
        std::ranges::copy(elements, to.begin() + static_cast<std::ptrdiff_t>(mark_size()));
        return elements.size() + mark_size();
    }

    void decode(std::size_t, bytes encoded, mutable_bytes elements) const override
    {
        const bool marked = kind_is_verbatim() || elements.empty() ||
                            (!encoded.empty() && encoded[0] == std::byte{'r'});
        if (!marked || encoded.size() != bound({}, elements.size()))
            throw std::system_error(errc::bad_message, "no such run");
        if (!elements.empty()) std::ranges::copy(encoded.subspan(mark_size()), elements.begin());
    }

    void reduce(const detail::chunk_input&, detail::pooled_buffer&,
                std::vector<std::byte>*) const override
    {
    }

private:
    bool kind_is_verbatim() const { return kind().verbatim; }
    std::size_t mark_size() const { return kind().verbatim ? 0 : 1; }
};

/// 20 elements, 5 for each of four peers in stages of two; chunks of two elements, and of three.
inline detail::call_plan four_in_two_stages()
{
    const int radix[] = {2, 2};
    return {.stages = butterfly(4, radix),
            .parts = {{0, 5}, {5, 5}, {10, 5}, {15, 5}},
            .roles = std::vector<role>(4, role::full),
            .granule = 2,
            .columns = 2};
}

}  // namespace papilio::test
