#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <cstddef>
#include <string>

namespace papilio::inline PAPILIO_MODE::detail {

/// Throws `errc::bad_message` unless `encoded` has as many bytes as `codec` makes of the elements.
inline void check_encoded_size(const char* codec, bytes encoded, std::size_t wanted)
{
    if (encoded.size() != wanted)
        throw bad_value(errc::bad_message,
                        std::string(codec) + ": the size of the encoded elements",
                        std::to_string(wanted) + " bytes", encoded.size());
}

}  // namespace papilio::detail
