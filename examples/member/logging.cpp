#include "logging.hpp"

#include "log_line.hpp"

#include <papilio/base/log.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>

namespace papilio::example {

namespace {

void print_with_time(const log_event& event)
{
    std::fprintf(stderr, "%s %s\n", timestamp().c_str(), to_string(event).c_str());
}

}  // namespace

void add_log(CLI::App& app, std::string& level, const std::string& group)
{
    app.add_option("--log", level, "events to print on stderr: off, warning, info or debug")
        ->check(CLI::IsMember({"off", "warning", "info", "debug"}).description(""))
        ->group(group);
}

void log_from(const std::string& level)
{
    for (const auto least : {log_level::warning, log_level::info, log_level::debug})
        if (level == name(least)) set_log(print_with_time, least);
}

}  // namespace papilio::example
