#include "logging.hpp"

#include <papilio/base/log.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

void add_log(CLI::App& app, std::string& level, const std::string& group)
{
    app.add_option("--log", level, "events to print on stderr: off, warning, info or debug")
        ->check(CLI::IsMember({"off", "warning", "info", "debug"}).description(""))
        ->group(group);
}

void log_from(const std::string& level)
{
    for (const auto least : {log_level::warning, log_level::info, log_level::debug})
        if (level == name(least)) set_log(log_to_stderr, least);
}

}  // namespace papilio::example
