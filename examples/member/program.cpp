#include "program.hpp"

#include "log_line.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

namespace papilio::example {

namespace {

int report(const char* name, const std::string& what, int code)
{
    const std::string line = std::string(name) + ": " + what;
    const bool watched = ::isatty(STDERR_FILENO) == 1;
    std::fprintf(stderr, "%s\n", watched ? line.c_str() : log_line("error", line).c_str());
    return code;
}

}  // namespace

int run_program(const char* name, const std::function<int()>& body)
{
    try {
        return body();
    } catch (const CLI::Success&) {
        return exit_ok;
    } catch (const CLI::Error& wrong) {
        report(name, wrong.what(), exit_usage);
        return report(name, "try --help", exit_usage);
    } catch (const gave_up& failure) {
        return report(name, failure.what(), exit_gave_up);
    } catch (const std::system_error& failure) {
        const bool refused = failure.code() == errc::refused;
        return report(name, failure.what(), refused ? exit_refused : exit_failure);
    } catch (const std::bad_alloc&) {
        return report(name, "not enough memory: choose a smaller model or batch", exit_failure);
    } catch (const std::exception& failure) {
        return report(name, failure.what(), exit_failure);
    }
}

}  // namespace papilio::example
