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

// The choice of a codec, by pure functions. All peers must choose alike: give them equal figures,
// such as the slowest link of a common link table, not each its own. The descriptor of the call
// holds the choice, so that a peer with another choice is found out, and so does the report.
namespace papilio::inline PAPILIO_MODE {

enum class tensor_role : unsigned char { gradient, parameter, optimizer_state, activation };

/// The tensor to send. Norms and biases have one dimension, matrices two.
struct tensor_facts {
    std::string_view name = {};
    std::size_t elements = 0;
    std::size_t dimensions = 2;
    tensor_role role = tensor_role::gradient;
};

/// The codec for tensors that match all fields. Fields that are left out match every tensor.
struct codec_rule {
    codec_id use{};
    std::string_view name_contains = {};
    std::optional<tensor_role> role = {};
    std::size_t at_least = 0;                            ///< elements
    std::size_t at_most = static_cast<std::size_t>(-1);  ///< elements
    std::size_t max_dimensions = static_cast<std::size_t>(-1);
};

/// The codec of the first rule that matches; nothing when none does. Small tensors and norms, for
/// example, are better sent in 16 bits: `{{.use = codec_id::as_bf16, .at_most = 1024}, {.use =
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

/// The costs of a codec: bits per element, scales included; the squared error over the squared
/// values; and how many elements per second this machine's threads encode, and decode and add.
struct codec_figures {
    codec_id id{};
    double bits = 32;
    double error = 0;
    double encodes_per_second = 0;
    double decodes_per_second = 0;
};

/// The conditions for the choice of a codec.
struct codec_demands {
    double link_bytes_per_second = 0;  ///< each way, of the slowest peer
    double max_error = 1;              ///< squared, over the squared values; made twice in a round
    double hysteresis = 0.2;  ///< share by which another codec must be faster to replace the last
};

/// The time that a codec takes per element of a butterfly all-reduce, in seconds. Every peer
/// encodes, decodes and adds each element once, and sends it there and back. Computation and
/// transfer overlap, so that the slower of the two counts.
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
/// precise. `last`, the choice of the previous round, stays unless another is faster by more than
/// the hysteresis, so that small changes of a link do not change the codec. Throws
/// `errc::bad_argument` when no candidate is within the budget.
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
        throw std::system_error(
            errc::bad_argument,
            "no candidate has an error of at most codec_demands::max_error: raise it, "
            "or add identity to the candidates");
    if (kept != nullptr && time(*kept) <= time(*best) * (1 + demands.hysteresis)) best = kept;
    return {best->id, time(*best)};
}

}  // namespace papilio
