#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/session/mean_bytes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail::mean_form {

// A mean is written as u32 number of parts, u64 begin of each, and then its blocks: at most 128
// elements of one part, as int8b has them. Each is one byte that tells how, and its elements.

inline constexpr std::size_t block = 128;
enum class form : std::uint8_t { whole, zeros, scaled, bf16s, f16s };

inline bool same_bits(std::span<const float> a, std::span<const float> b)
{
    return std::ranges::equal(std::as_bytes(a), std::as_bytes(b));
}

/// A bf16, and codes from -127 to 127: what int8b decodes to. The largest code of a block is 127,
/// or a little less because scales are rounded up.
struct scaled_block {
    float scale = 0;
    std::array<std::int8_t, block> codes{};

    std::size_t size(std::size_t n) const { return sizeof scale + n; }

    void decode(std::span<float> to) const
    {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = scale * static_cast<float>(codes[i]);
    }
};

inline std::optional<scaled_block> scaled(std::span<const float> values)
{
    float largest = 0;
    for (const float v : values) largest = std::max(largest, std::abs(v));
    std::array<float, block> again;
    const auto decoded = std::span(again).first(values.size());
    for (const float code : {127.0f, 126.0f, 125.0f}) {
        scaled_block b{.scale = largest / code};
        if (!(b.scale > 0) || !std::isfinite(b.scale)) return std::nullopt;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float c = std::clamp(std::nearbyint(values[i] / b.scale), -127.0f, 127.0f);
            b.codes[i] = static_cast<std::int8_t>(c);
        }
        b.decode(decoded);
        if (same_bits(decoded, values)) return b;
    }
    return std::nullopt;
}

inline void put(form f, bytes content, std::vector<std::byte>& to)
{
    to.push_back(static_cast<std::byte>(f));
    to.insert(to.end(), content.begin(), content.end());
}

/// Appends `values` by a codec of 16 bits if that gives the same bits again.
template <class Codec>
bool put_halves(form f, const Codec& codec, std::span<const float> values,
                std::vector<std::byte>& to)
{
    std::array<std::byte, 2 * block> encoded;
    std::array<float, block> again;
    const auto decoded = std::span(again).first(values.size());
    const auto content = bytes(encoded).first(codec.encode(values, encoded));
    codec.decode(content, decoded);
    const bool same = same_bits(decoded, values);
    if (same) put(f, content, to);
    return same;
}

inline void write_block(std::span<const float> values, std::vector<std::byte>& to)
{
    static constexpr std::array<float, block> zeros{};
    const bool finite = std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
    if (same_bits(values, std::span(zeros).first(values.size()))) return put(form::zeros, {}, to);
    if (const auto b = finite ? scaled(values) : std::nullopt) {
        put(form::scaled, std::as_bytes(std::span(&b->scale, 1)), to);
        const auto codes = std::as_bytes(std::span(b->codes).first(values.size()));
        to.insert(to.end(), codes.begin(), codes.end());
        return;
    }
    if (finite && put_halves(form::bf16s, as_bf16{}, values, to)) return;
    if (finite && put_halves(form::f16s, as_f16{}, values, to)) return;
    put(form::whole, std::as_bytes(values), to);
}

/// Calls `use` for each block of `mean`, whose parts begin there.
template <class Mean, class Use>
void for_each_block(Mean mean, std::span<const std::size_t> begins, Use use)
{
    for (std::size_t p = 0; p < begins.size(); ++p) {
        const auto end = p + 1 < begins.size() ? begins[p + 1] : mean.size();
        for (auto at = begins[p]; at < end; at += block)
            use(mean.subspan(at, std::min(block, end - at)));
    }
}

/// Bytes that are taken from the front, as long as there are some.
class front {
public:
    explicit front(bytes from) : rest_(from) {}

    bytes take(std::size_t n)
    {
        if (n > rest_.size()) refuse();
        const auto taken = rest_.first(n);
        rest_ = rest_.subspan(n);
        return taken;
    }
    template <class T>
    T take()
    {
        return load<T>(take(sizeof(T)).data());
    }
    bool empty() const { return rest_.empty(); }

    [[noreturn]] static void refuse()
    {
        throw std::system_error(errc::bad_message, "these bytes are not the mean of a round");
    }

private:
    bytes rest_;
};

inline void read_block(front& from, std::span<float> values)
{
    switch (form{from.take<std::uint8_t>()}) {
    case form::whole: return identity{}.decode(from.take(values.size_bytes()), values);
    case form::zeros: std::ranges::fill(values, 0.0f); return;
    case form::bf16s: return as_bf16{}.decode(from.take(2 * values.size()), values);
    case form::f16s: return as_f16{}.decode(from.take(2 * values.size()), values);
    case form::scaled: break;
    default: front::refuse();
    }
    scaled_block b{.scale = from.take<float>()};
    const auto codes = from.take(values.size());
    std::ranges::copy(codes, std::as_writable_bytes(std::span(b.codes)).begin());
    b.decode(values);
}

}  // namespace papilio::detail::mean_form

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL std::vector<std::byte> write_mean(std::span<const float> mean,
                                               std::span<const std::size_t> begins)
{
    namespace form = detail::mean_form;
    std::vector<std::byte> written(sizeof(std::uint32_t) + begins.size() * sizeof(std::uint64_t));
    store(written.data(), static_cast<std::uint32_t>(begins.size()));
    for (std::size_t p = 0; p < begins.size(); ++p)
        store(written.data() + 4 + 8 * p, std::uint64_t{begins[p]});
    form::for_each_block(mean, begins,
                         [&](std::span<const float> b) { form::write_block(b, written); });
    return written;
}

PAPILIO_DECL void read_mean(bytes written, std::span<float> mean)
{
    namespace form = detail::mean_form;
    form::front from(written);
    std::vector<std::size_t> begins;
    for (auto left = from.take<std::uint32_t>(); left > 0; --left) {
        const auto begin = from.take<std::uint64_t>();
        const auto least = begins.empty() ? 0 : begins.back() + 1;
        const bool right = begins.empty() ? begin == 0 : begin >= least && begin < mean.size();
        if (!right) form::front::refuse();
        begins.push_back(static_cast<std::size_t>(begin));
    }
    if (begins.empty() != mean.empty()) form::front::refuse();
    form::for_each_block(mean, begins, [&](std::span<float> b) { form::read_block(from, b); });
    if (!from.empty()) form::front::refuse();
}

PAPILIO_DECL std::vector<part> parts_of(std::size_t count, std::span<const role> roles,
                                        std::span<const double> wanted)
{
    std::vector<double> shares(wanted.begin(), wanted.end());
    shares.resize(roles.size(), 1);
    for (std::size_t rank = 0; rank < roles.size(); ++rank)
        if (!reduces(roles[rank])) shares[rank] = 0;
    if (std::ranges::none_of(roles, [](role r) { return reduces(r); }))
        return std::vector<part>(roles.size());
    return partition(count, shares);
}

PAPILIO_DECL std::vector<std::size_t> part_begins(std::size_t count, std::span<const role> roles,
                                                  std::span<const double> shares)
{
    std::vector<std::size_t> begins;
    for (const auto& p : parts_of(count, roles, shares))
        if (p.size > 0) begins.push_back(p.begin);
    return begins;
}

}  // namespace papilio
