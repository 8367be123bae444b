#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

// Which codec to use, decided by functions of facts alone. Peers must choose alike: give them facts
// that all of them share, such as the slowest link of a common link table, not each its own. The
// choice travels in the descriptor of the call, where a peer that chose otherwise is found out, and
// stands in its report.
namespace papilio::inline PAPILIO_MODE {

enum class tensor_role : unsigned char { gradient, parameter, optimizer_state, activation };

/// What is to be sent. `dimensions` tells norms and biases, which have one, from matrices.
struct tensor_facts {
    std::string_view name = {};
    std::size_t elements = 0;
    std::size_t dimensions = 2;
    tensor_role role = tensor_role::gradient;
};

/// A codec for tensors that fit all that is said here; fields that are left out fit everything.
struct codec_rule {
    codec_id use{};
    std::string_view name_contains = {};
    std::optional<tensor_role> role = {};
    std::size_t at_least = 0;                            ///< elements
    std::size_t at_most = static_cast<std::size_t>(-1);  ///< elements
    std::size_t max_dimensions = static_cast<std::size_t>(-1);
};

/// What the first rule that fits says; nothing if none does. Little tensors and norms, say, are
/// better sent in 16 bits: `{{.use = codec_id::as_bf16, .at_most = 1024}, {.use =
/// codec_id::as_bf16, .max_dimensions = 1}}`.
constexpr std::optional<codec_id> rule_for(const tensor_facts& tensor,
                                           std::span<const codec_rule> rules)
{
    for (const auto& rule : rules) {
        if (tensor.name.find(rule.name_contains) == std::string_view::npos) continue;
        if (rule.role && *rule.role != tensor.role) continue;
        if (tensor.elements < rule.at_least || tensor.elements > rule.at_most) continue;
        if (tensor.dimensions > rule.max_dimensions) continue;
        return rule.use;
    }
    return std::nullopt;
}

/// What a codec costs: bits per element, scales included; the squared error that it makes, over the
/// squares; and how many elements this machine's threads encode, and decode and add, per second.
struct codec_figures {
    codec_id id{};
    double bits = 32;
    double error = 0;
    double encodes_per_second = 0;
    double decodes_per_second = 0;
};

/// What the fastest codec is chosen by.
struct codec_demands {
    double link_bytes_per_second = 0;  ///< each way, of the slowest peer that counts
    double max_error = 1;              ///< squared, over the squares; a round makes it twice
    double hysteresis = 0.2;           ///< how much faster another must be to replace the last one
};

/// How long a codec takes per element of a butterfly all-reduce, in seconds: every peer encodes and
/// decodes all elements once and adds them once, while they travel there and back. All of it
/// overlaps, so that the slower counts.
constexpr double seconds_per_element(const codec_figures& codec, double link_bytes_per_second)
{
    const double work = 1 / codec.encodes_per_second + 2 / codec.decodes_per_second;
    return std::max(work, 2 * codec.bits / 8 / link_bytes_per_second);
}

struct codec_choice {
    codec_id id{};
    double seconds_per_element = 0;  ///< as predicted
    friend constexpr bool operator==(const codec_choice&, const codec_choice&) = default;
};

/// The fastest of `candidates` whose error is within the budget, and of equally fast ones the most
/// precise. `last`, the choice of the round before, stays unless another is faster by more than the
/// hysteresis: links that waver should not make codecs waver, too. Throws `errc::bad_argument` if
/// no candidate is precise enough.
constexpr codec_choice fastest_codec(std::span<const codec_figures> candidates,
                                     const codec_demands& demands,
                                     std::optional<codec_id> last = {})
{
    const codec_figures* best = nullptr;
    const codec_figures* kept = nullptr;
    const auto time = [&](const codec_figures& codec) {
        return seconds_per_element(codec, demands.link_bytes_per_second);
    };
    for (const auto& codec : candidates) {
        if (codec.error > demands.max_error) continue;
        if (last && codec.id == *last) kept = &codec;
        if (best == nullptr || time(codec) < time(*best) ||
            (time(codec) == time(*best) && codec.error < best->error))
            best = &codec;
    }
    if (best == nullptr)
        throw std::system_error(errc::bad_argument,
                                "no codec is precise enough: raise the budget "
                                "or add identity to the candidates");
    if (kept != nullptr && time(*kept) <= time(*best) * (1 + demands.hysteresis)) best = kept;
    return {best->id, time(*best)};
}

}  // namespace papilio::inline PAPILIO_MODE
