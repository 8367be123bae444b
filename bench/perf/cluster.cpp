#include "perf/cluster.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace papilio::perf {

namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

int number_in(const char* name, int least, int most = std::numeric_limits<int>::max())
{
    const auto text = variable(name);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw std::runtime_error(std::string("the launcher has set ") + name + " to '" + text +
                                 "', which is not a number from " + std::to_string(least) + " to " +
                                 std::to_string(most));
    return value;
}

/// The port of the coordinator. With torchrun it is MASTER_PORT + 1, since torchrun listens at
/// MASTER_PORT.
std::uint16_t port()
{
    if (!variable("PAPILIO_PERF_PORT").empty())
        return static_cast<std::uint16_t>(number_in("PAPILIO_PERF_PORT", 1, 65'535));
    if (variable("MASTER_PORT").empty()) return 29'500;
    const bool taken = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
    return static_cast<std::uint16_t>(number_in("MASTER_PORT", 1, 65'534) + (taken ? 1 : 0));
}

}  // namespace

std::string first_host(const std::string& list)
{
    const auto bracket = list.find('[');
    const auto comma = list.find(',');
    if (bracket == std::string::npos || comma < bracket) return list.substr(0, comma);
    const auto end = list.find_first_of(",-]", bracket);
    return list.substr(0, bracket) + list.substr(bracket + 1, end - bracket - 1);
}

std::optional<launcher_rank> find_launcher_rank()
{
    launcher_rank s;
    s.host = variable("MASTER_ADDR");
    if (!variable("RANK").empty() && !variable("WORLD_SIZE").empty()) {
        s.launcher = "torchrun";
        s.rank = number_in("RANK", 0);
        s.peers = number_in("WORLD_SIZE", 1);
    } else if (!variable("OMPI_COMM_WORLD_RANK").empty()) {
        s.launcher = "Open MPI";
        s.rank = number_in("OMPI_COMM_WORLD_RANK", 0);
        s.peers = number_in("OMPI_COMM_WORLD_SIZE", 1);
        if (s.host.empty() && variable("OMPI_COMM_WORLD_LOCAL_SIZE") == std::to_string(s.peers))
            s.host = "127.0.0.1";
    } else if (!variable("SLURM_PROCID").empty() && !variable("SLURM_STEP_NUM_TASKS").empty()) {
        s.launcher = "Slurm";
        s.rank = number_in("SLURM_PROCID", 0);
        s.peers = number_in("SLURM_STEP_NUM_TASKS", 1);
        if (s.host.empty()) s.host = first_host(variable("SLURM_STEP_NODELIST"));
        if (s.host.empty()) s.host = first_host(variable("SLURM_JOB_NODELIST"));
    } else {
        return std::nullopt;
    }
    if (s.rank >= s.peers || s.peers < 2)
        throw std::runtime_error(s.launcher + " says that this is rank " + std::to_string(s.rank) +
                                 " of " + std::to_string(s.peers) +
                                 "; it takes two ranks or more, numbered from 0. --local goes "
                                 "without a launcher");
    if (s.host.empty())
        throw std::runtime_error("this is rank " + std::to_string(s.rank) + " of " + s.launcher +
                                 ", but where is rank 0? Set MASTER_ADDR, and pass it on");
    s.port = port();
    return s;
}

}  // namespace papilio::perf
