#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace papilio::perf {

/// 64 bits are more than a number in JSON or a spreadsheet holds.
inline std::string as_hexadecimal(std::uint64_t value)
{
    char text[20];
    std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
    return text;
}

/// Writes a whole file, or throws with its name.
inline void write_file(const std::string& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace papilio::perf
