#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace papilio::example {

/// The value as text, on one line or indented. Text from other members may be anything: what is no
/// UTF-8 is replaced.
std::string as_text(const nlohmann::ordered_json& value, int indent = -1);

/// A file of JSON lines, one for each thing that happened. Each line is on its way to the disk when
/// `write` returns, so that others can follow the file.
class journal {
public:
    /// Appends to `path`; an empty path writes nothing. Throws a `problem`.
    explicit journal(const std::filesystem::path& path);

    /// Adds the line, led by the time in seconds since 1970.
    void write(nlohmann::ordered_json line);

    /// Whether lines go anywhere.
    bool kept() const { return file_.is_open(); }

private:
    std::filesystem::path path_;
    std::ofstream file_;
};

}  // namespace papilio::example
