#include "logging.hpp"

#include <papilio/base/log.hpp>

#include <CLI/CLI.hpp>

namespace papilio::example {

namespace {

template <log_level Least>
void print(const log_event& event)
{
    if (event.level >= Least) log_to_stderr(event);
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
    if (level == name(log_level::warning)) set_log(print<log_level::warning>);
    if (level == name(log_level::info)) set_log(print<log_level::info>);
    if (level == name(log_level::debug)) set_log(print<log_level::debug>);
}

}  // namespace papilio::example
