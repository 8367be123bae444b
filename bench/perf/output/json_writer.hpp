#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace papilio::perf {

/// Writes JSON with an indentation of two spaces. The caller closes every bracket that it opens.
/// Values in objects need keys.
class json_writer {
public:
    void open(char bracket, std::string_view key = {})
    {
        begin(key);
        text_ += bracket;
        ++depth_;
        first_ = true;
    }
    void close(char bracket)
    {
        --depth_;
        if (!first_) new_line();
        text_ += bracket;
        first_ = false;
    }
    void value(std::string_view key, std::string_view text)
    {
        begin(key);
        quote(text);
    }
    void value(std::string_view key, const char* text) { value(key, std::string_view(text)); }
    void value(std::string_view key, double number)
    {
        begin(key);
        char digits[40];
        std::snprintf(digits, sizeof(digits), "%.10g", number);
        text_ += std::isfinite(number) ? digits : "null";
    }
    void value(std::string_view key, std::uint64_t number)
    {
        begin(key);
        text_ += std::to_string(number);
    }
    void value(std::string_view key, int number) { value(key, static_cast<double>(number)); }
    void value(std::string_view key, bool yes)
    {
        begin(key);
        text_ += yes ? "true" : "false";
    }

    std::string finish() { return std::move(text_) + '\n'; }

private:
    void begin(std::string_view key)
    {
        if (!first_) text_ += ',';
        if (depth_ > 0) new_line();
        first_ = false;
        if (key.empty()) return;
        quote(key);
        text_ += ": ";
    }
    void new_line() { text_.append("\n").append(static_cast<std::size_t>(2 * depth_), ' '); }
    void quote(std::string_view text)
    {
        text_ += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') text_ += '\\';
            if (static_cast<unsigned char>(c) >= 0x20) {
                text_ += c;
                continue;
            }
            char escaped[8];
            std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(c));
            text_ += escaped;
        }
        text_ += '"';
    }

    std::string text_;
    int depth_ = 0;
    bool first_ = true;
};

}  // namespace papilio::perf
