#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace papilio::example {

/// The value as text, on one line or indented. Replaces bytes that are not UTF-8, since strings
/// from other members may hold any.
std::string as_text(const nlohmann::ordered_json& value, int indent = -1);

/// A file of JSON lines, one per event. Each line is flushed, so that others can follow the file.
class jsonl_log {
public:
    /// Appends to `path`; an empty path writes nothing. Throws a `problem` when it cannot write.
    explicit jsonl_log(const std::filesystem::path& path);

    /// Writes the line, after a field `time` in seconds since 1970.
    void write(nlohmann::ordered_json line);

    /// Whether lines are written.
    bool kept() const { return file_.is_open(); }

private:
    std::filesystem::path path_;
    std::ofstream file_;
};

}  // namespace papilio::example
