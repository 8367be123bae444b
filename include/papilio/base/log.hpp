#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/text.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

enum class log_level : std::uint8_t {
    debug,    ///< what happens in every call, or at every attempt
    info,     ///< what changes the state of a link, a group or a run
    warning,  ///< a failure, and what is refused
};

constexpr const char* name(log_level level) noexcept
{
    switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    }
    return "?";
}

struct log_field {
    std::string_view name;
    std::string value;
};

/// Something that has happened in the library: what, such as "link failed", and its details, such
/// as peer and reason. Valid during the call that hands it over.
struct log_event {
    log_level level{};
    std::string_view what;
    std::span<const log_field> fields;
};

/// Must not throw, and must not call papilio. Threads may call it at the same time.
using log_function = void (*)(const log_event&);

/// One line: "papilio: warning: link failed rank=0 peer=3 why=\"silent\"". Values may be texts that
/// others chose: what is not readable becomes a question mark, and a quote inside of quotes `\"`.
std::string to_string(const log_event& event);

/// Prints every event to standard error: `papilio::set_log(papilio::log_to_stderr)`.
inline void log_to_stderr(const log_event& event)
{
    std::fprintf(stderr, "%s\n", to_string(event).c_str());
}

namespace detail {

inline std::string log_value(const std::string& value)
{
    std::string shown = printable(value);
    if (!shown.empty() && shown.find_first_of(" \"=\\") == std::string::npos) return shown;
    std::string quoted = "\"";
    for (const char c : shown) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

PAPILIO_SHARED inline std::atomic<log_function> log_sink{nullptr};

/// The least level that is wanted, as a number; one more than the highest if nobody listens.
inline constexpr std::uint8_t log_off = static_cast<std::uint8_t>(log_level::warning) + 1;
PAPILIO_SHARED inline std::atomic<std::uint8_t> log_least{log_off};

inline std::string log_text(std::string_view value)
{
    return std::string(value);
}
inline std::string log_text(std::error_code value)
{
    return value.message();
}
inline std::string log_text(std::chrono::nanoseconds value)
{
    std::array<char, 32> text{};
    const auto seconds = std::chrono::duration<double>(value).count();
    std::snprintf(text.data(), text.size(), "%.6gs", seconds);
    return text.data();
}
template <class Number>
requires std::is_arithmetic_v<Number> std::string log_text(Number value)
{
    return std::to_string(value);
}

/// A value that takes work to make is given as a function: it is called if anybody listens.
template <class Function>
requires std::is_invocable_v<const Function&> std::string log_text(const Function& make)
{
    return log_text(make());
}

template <class... Values>
void log_fields(log_function sink, log_level level, const char* what, const char* const* names,
                const Values&... values)
{
    std::size_t i = 0;
    const std::array<log_field, sizeof...(Values)> fields{
        log_field{names[i++], log_text(values)}...};
    sink({level, what, fields});
}

/// Hands an event over if anybody wants it, and costs one load if nobody does. `names` are those of
/// `values`, in order.
template <std::size_t N, class... Values>
void log(log_level level, const char* what, const char* const (&names)[N], const Values&... values)
{
    static_assert(N == sizeof...(Values), "each value has a name");
    if (static_cast<std::uint8_t>(level) < log_least.load(std::memory_order_acquire)) return;
    if (const auto sink = log_sink.load(std::memory_order_acquire))
        log_fields(sink, level, what, names, values...);
}

}  // namespace detail

inline std::string to_string(const log_event& event)
{
    std::string line = std::string("papilio: ") + name(event.level) + ": ";
    line += event.what;
    for (const auto& f : event.fields) {
        line += ' ';
        line += f.name;
        line += '=' + detail::log_value(f.value);
    }
    return line;
}

/// From now on every event of level `least` or above is handed to `f`, on the thread on which it
/// happens; null, as at the start, means that nobody listens. One function serves the whole
/// process.
inline void set_log(log_function f, log_level least = log_level::debug) noexcept
{
    detail::log_sink.store(f, std::memory_order_release);
    detail::log_least.store(f ? static_cast<std::uint8_t>(least) : detail::log_off,
                            std::memory_order_release);
}

}  // namespace papilio
