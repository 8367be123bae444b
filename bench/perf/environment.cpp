#include "perf/congestion.hpp"
#include "perf/report.hpp"

#include <sys/utsname.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>

extern char** environ;

namespace papilio::perf {

namespace {

std::string machine()
{
    std::string model = "unknown processor";
    std::ifstream cpus("/proc/cpuinfo");
    for (std::string line; std::getline(cpus, line);) {
        if (!line.starts_with("model name")) continue;
        model = line.substr(line.find(':') + 2);
        break;
    }
    utsname system{};
    uname(&system);
    return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " +
           system.sysname + ' ' + system.release;
}

std::string now_in_utc()
{
    const auto now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::string compiler()
{
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

/// The environment variables that are known to hold no secrets. Only they may be written to files.
std::vector<std::pair<std::string, std::string>> harmless_variables()
{
    std::vector<std::pair<std::string, std::string>> all;
    for (char** each = environ; *each; ++each) {
        const std::string_view text = *each;
        for (const std::string_view known : {"PAPILIO_", "UCX_", "NCCL_"}) {
            const auto equals = text.find('=');
            if (text.starts_with(known) && equals != std::string_view::npos)
                all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return all;
}

std::string network_name(const options& o)
{
    switch (o.where) {
    case network::loopback:
        return o.transport == "inproc" ? "threads of one process" : "processes of one machine";
    case network::namespaces: return "shaped links between network namespaces";
    case network::simulated: return "a simulated network";
    case network::cluster: return "processes of a cluster";
    }
    return {};
}

}  // namespace

environment read_environment(const options& o, int argc, char** argv)
{
    environment env;
    for (int i = 0; i < argc; ++i) {
        const std::string_view word = i == 0 ? "papilio-perf" : argv[i];
        if (i > 0) env.command += ' ';
        env.command += word;
    }
    env.machine = machine();
    env.compiler = compiler();
    env.version = PAPILIO_PERF_VERSION;
    env.date = now_in_utc();
    env.network = network_name(o);
    env.peers = o.peers;
    env.what = o.what;
    env.transport = o.transport;
    if (o.transport == "tcp" || o.transport == "auto") env.congestion = congestion_in_use();
    env.nominal = o.mbit;
    env.rtt_ms = o.rtt_ms;
    if (o.rtt_ms > 0) {
        char text[64];
        std::snprintf(text, sizeof(text), ", %g ms there and back", o.rtt_ms);
        env.network += text;
    }
    env.variables = harmless_variables();
    return env;
}

}  // namespace papilio::perf
