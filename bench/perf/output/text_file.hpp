#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace papilio::perf {

/// A digest as text, since numbers in JSON and spreadsheets hold fewer than 64 bits.
inline std::string as_hexadecimal(std::uint64_t value)
{
    char text[20];
    std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
    return text;
}

/// Writes a whole file. Throws with its name if it cannot.
inline void write_file(const std::string& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace papilio::perf
