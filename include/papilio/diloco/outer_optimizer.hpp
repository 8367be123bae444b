#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// Hyperparameters of the outer optimiser; the defaults are DiLoCo's.
struct outer_options {
    float rate = 0.7f;
    float momentum = 0.9f;
};
static_assert(std::is_trivially_destructible_v<outer_options>);

/// The outer gradient of DiLoCo (A. Douillard et al., 2023): the difference between the parameters
/// with which all peers began the round and this peer's after its inner steps,
/// `out[i] = anchor[i] - local[i]`. `out` may be `local`.
void pseudo_gradient(std::span<const float> anchor, std::span<const float> local,
                     std::span<float> out);

/// The inputs and outputs of the outer optimiser. All ranges are as long as `gradient`. The new
/// ones may be the old ones, or separate, so that others can read the old state meanwhile.
struct outer_buffers {
    std::span<const float> parameters;
    std::span<const float> momentum;  ///< zeros before the first round
    std::span<float> new_parameters;
    std::span<float> new_momentum;
};

/// One step of SGD with Nesterov momentum, as `torch.optim.SGD(nesterov=True)` without weight decay
/// and dampening takes it:
///
///     new_momentum = momentum * m + gradient
///     new_parameters = parameters - rate * (gradient + momentum * new_momentum)
///
/// The same inputs give the same bits on every machine. Throws `errc::bad_argument`, and changes
/// nothing, if lengths differ or options are out of range.
void outer_step(const outer_buffers& s, std::span<const float> gradient, outer_options o = {});

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t outer_tile = 512;

inline void check_length(const char* name, std::size_t found, const char* other, std::size_t wanted)
{
    if (found != wanted)
        throw std::system_error(errc::bad_argument, std::string(name) + " has " +
                                                        std::to_string(found) + " elements and " +
                                                        other + " " + std::to_string(wanted));
}

/// Works in buffers that alias nothing, so that the compiler can vectorise although the ranges may
/// be the same.
template <class Size>
void outer_step_tile(const outer_buffers& s, const float* gradient, std::size_t begin, Size size,
                     outer_options o)
{
    alignas(64) float moved[outer_tile];
    alignas(64) float momentum[outer_tile];
    const float* const p = s.parameters.data() + begin;
    const float* const m = s.momentum.data() + begin;
    const float* const g = gradient + begin;
    for (std::size_t i = 0; i < size; ++i) momentum[i] = o.momentum * m[i];
    round_now(momentum);
    for (std::size_t i = 0; i < size; ++i) {
        momentum[i] += g[i];
        moved[i] = o.momentum * momentum[i];
    }
    round_now(moved);
    for (std::size_t i = 0; i < size; ++i) moved[i] = o.rate * (g[i] + moved[i]);
    round_now(moved);
    for (std::size_t i = 0; i < size; ++i) moved[i] = p[i] - moved[i];
    float* const to_momentum = s.new_momentum.data() + begin;
    float* const to_parameters = s.new_parameters.data() + begin;
    for (std::size_t i = 0; i < size; ++i) to_momentum[i] = momentum[i];
    for (std::size_t i = 0; i < size; ++i) to_parameters[i] = moved[i];
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline void pseudo_gradient(std::span<const float> anchor, std::span<const float> local,
                            std::span<float> out)
{
    detail::check_length("pseudo_gradient: local", local.size(), "anchor", anchor.size());
    detail::check_length("pseudo_gradient: out", out.size(), "anchor", anchor.size());
    detail::for_each_tile<detail::outer_tile>(out.size(), [&](std::size_t begin, auto size) {
        alignas(64) float difference[detail::outer_tile];
        const float* const from = anchor.data() + begin;
        const float* const to = local.data() + begin;
        for (std::size_t i = 0; i < size; ++i) difference[i] = from[i] - to[i];
        float* const result = out.data() + begin;
        for (std::size_t i = 0; i < size; ++i) result[i] = difference[i];
    });
}

inline void outer_step(const outer_buffers& s, std::span<const float> gradient, outer_options o)
{
    const auto n = gradient.size();
    detail::check_length("outer_buffers::parameters", s.parameters.size(), "gradient", n);
    detail::check_length("outer_buffers::momentum", s.momentum.size(), "gradient", n);
    detail::check_length("outer_buffers::new_parameters", s.new_parameters.size(), "gradient", n);
    detail::check_length("outer_buffers::new_momentum", s.new_momentum.size(), "gradient", n);
    if (!(o.rate > 0) || !std::isfinite(o.rate))
        throw detail::bad_value("outer_options::rate", "above 0, and finite", o.rate);
    if (!(o.momentum >= 0) || !(o.momentum < 1))
        throw detail::bad_value("outer_options::momentum", "at least 0 and below 1", o.momentum);
    detail::for_each_tile<detail::outer_tile>(n, [&](std::size_t begin, auto size) {
        detail::outer_step_tile(s, gradient.data(), begin, size, o);
    });
}

}  // namespace papilio
