#pragma once

#include <papilio/base/config.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/detail/process_number.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// A key for measurements, which a peer that did not receive it cannot guess.
inline secret_key random_secret()
{
    secret_key key;
    for (auto& word : key.words) word = static_cast<std::uint32_t>(detail::process_number());
    return key;
}

}  // namespace papilio
