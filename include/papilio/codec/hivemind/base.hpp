#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/base/tiles.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/finite.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <vector>

/// Codecs whose bytes are the buffers that hivemind's compression sends, by its protobuf message
/// `Tensor`, and that decode what it sent. Formulas and layouts are those of hivemind 1.1 (M.
/// Ryabinin et al., "Hivemind: decentralized deep learning in PyTorch", 2020).
namespace papilio::inline PAPILIO_MODE::hivemind {

/// The granule of codecs that look at all elements of a run before they send the first: such a run
/// cannot be cut.
inline constexpr std::size_t whole_run = std::numeric_limits<std::size_t>::max();

}  // namespace papilio::hivemind

namespace papilio::inline PAPILIO_MODE::hivemind::detail {

using papilio::detail::all_finite;
using papilio::detail::check_lossy_element;
using papilio::detail::is_finite;

[[noreturn]] inline void refuse(const char* codec, const std::string& what)
{
    throw std::system_error(errc::bad_message, std::string("hivemind::") + codec + ": " + what);
}

/// The values as floats, in `storage` if they are not.
template <class V>
std::span<const float> as_floats(std::span<const V> values, std::vector<float>& storage)
{
    if constexpr (std::same_as<V, float>) {
        return values;
    } else {
        storage.resize(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) storage[i] = static_cast<float>(values[i]);
        return storage;
    }
}

[[noreturn]] inline void refuse_to_encode(const char* codec)
{
    throw std::system_error(errc::not_finite,
                            std::string("hivemind::") + codec + " takes only finite numbers");
}

/// The same, or `errc::not_finite`.
template <class V>
std::span<const float> finite_floats(std::span<const V> values, std::vector<float>& storage,
                                     const char* codec)
{
    const auto floats = as_floats(values, storage);
    if (!all_finite(floats)) refuse_to_encode(codec);
    return floats;
}

}  // namespace papilio::hivemind::detail
