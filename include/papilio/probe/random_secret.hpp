#pragma once

#include <papilio/probe/keystream.hpp>

#include <random>

namespace papilio::example {

/// A key for a measurement, which a peer that did not receive it cannot guess.
inline secret_key random_secret()
{
    std::random_device source;
    secret_key key;
    for (auto& word : key.words) word = source();
    return key;
}

}  // namespace papilio::example
