#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/tcp/endpoint.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// What launchers tell the processes that they start, by variables of the environment.
namespace papilio::inline PAPILIO_MODE::detail {

/// Who a process is, and where the peers of its group meet.
struct launched {
    int rank = 0;
    int size = 0;
    tcp::endpoint meeting;
    std::uint64_t group = 0;
};

/// Variables by their names, as `getenv` gives them: null where there is none.
using environment = const char* (*)(const char* name);

inline const char* of_process(const char* name)
{
    return std::getenv(name);
}

class launcher_variables {
public:
    explicit launcher_variables(environment get) : get_(get) {}

    bool has(const char* name) const { return text(name).has_value(); }

    std::optional<std::string> text(const char* name) const
    {
        const char* const found = get_(name);
        if (!found || *found == '\0') return std::nullopt;
        return found;
    }

    std::string required(const char* name, const char* why) const
    {
        auto found = text(name);
        if (!found)
            throw std::system_error(errc::bad_argument, std::string(name) + " is not set: " + why);
        return *std::move(found);
    }

    /// A number from `least` to `most`.
    int number(const char* name, int least, int most, const char* why) const
    {
        const auto found = required(name, why);
        int value = 0;
        const char* const end = found.data() + found.size();
        const auto [rest, error] = std::from_chars(found.data(), end, value);
        if (error != std::errc{} || rest != end || value < least || value > most)
            throw bad_value(name, std::to_string(least) + " to " + std::to_string(most),
                            '"' + found.substr(0, 60) + '"');
        return value;
    }

private:
    environment get_;
};

/// The first host of a list of Slurm's, such as "gpu[03-07,12],login": "gpu03".
inline std::string first_host_of(std::string_view list)
{
    const auto bracket = list.find('[');
    const auto comma = list.find(',');
    if (bracket == std::string_view::npos || comma < bracket)
        return std::string(list.substr(0, comma));
    const auto inside = list.substr(bracket + 1);
    return std::string(list.substr(0, bracket)) +
           std::string(inside.substr(0, inside.find_first_of("-,]")));
}

inline constexpr const char* no_launcher =
    "start the program by torchrun, srun or mpirun, or name rank and endpoints: "
    "communicator(rank, endpoints)";

/// Where torchrun's own store and a trainer's process group listen at `MASTER_PORT`, papilio takes
/// the next one. `PAPILIO_PORT` names another.
inline std::uint16_t meeting_port(const launcher_variables& v, const char* why)
{
    if (v.has("PAPILIO_PORT"))
        return static_cast<std::uint16_t>(v.number("PAPILIO_PORT", 1, 65535, why));
    return static_cast<std::uint16_t>(v.number("MASTER_PORT", 1, 65534, why) + 1);
}

inline launched finish(const launcher_variables& v, launched l, const char* job)
{
    std::uint64_t group = static_cast<std::uint64_t>(l.size);
    const std::string what = v.text(job).value_or("") + ' ' + to_string(l.meeting);
    for (const char c : what) group = hash(group, static_cast<unsigned char>(c));
    l.group = group;
    return l;
}

inline constexpr int most_peers = 4095;

inline launched by_slurm(const launcher_variables& v)
{
    constexpr const char* by = "srun sets it";
    launched l;
    l.size = v.number("SLURM_NTASKS", 1, most_peers, by);
    l.rank = v.number("SLURM_PROCID", 0, l.size - 1, by);
    const char* const nodes =
        v.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST";
    l.meeting.host =
        v.has("MASTER_ADDR") ? *v.text("MASTER_ADDR") : first_host_of(v.required(nodes, by));
    const bool named = v.has("PAPILIO_PORT") || v.has("MASTER_PORT");
    l.meeting.port = named ? meeting_port(v, by)
                           : static_cast<std::uint16_t>(
                                 20000 + v.number("SLURM_JOB_ID", 0, 2'000'000'000, by) % 10000);
    return finish(v, std::move(l), "SLURM_JOB_ID");
}

inline launched by_open_mpi(const launcher_variables& v)
{
    constexpr const char* by = "mpirun of Open MPI sets it";
    constexpr const char* where =
        "pass mpirun -x MASTER_ADDR and -x MASTER_PORT, the host of rank 0 and a port that is free "
        "there and behind it";
    launched l;
    l.size = v.number("OMPI_COMM_WORLD_SIZE", 1, most_peers, by);
    l.rank = v.number("OMPI_COMM_WORLD_RANK", 0, l.size - 1, by);
    l.meeting = {v.required("MASTER_ADDR", where), meeting_port(v, where)};
    return finish(v, std::move(l), "PMIX_NAMESPACE");
}

inline launched by_torchrun(const launcher_variables& v)
{
    constexpr const char* by = "torchrun sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT";
    launched l;
    l.size = v.number("WORLD_SIZE", 1, most_peers, by);
    l.rank = v.number("RANK", 0, l.size - 1, by);
    l.meeting = {v.required("MASTER_ADDR", by), meeting_port(v, by)};
    return finish(v, std::move(l), "TORCHELASTIC_RUN_ID");
}

/// What the launcher of this process has set; torchrun comes first, since it may run under another
/// one. Throws `errc::bad_argument` and names the variable that is missing or wrong.
inline launched launched_by(environment get)
{
    const launcher_variables v(get);
    if (v.has("RANK") || v.has("WORLD_SIZE")) return by_torchrun(v);
    if (v.has("OMPI_COMM_WORLD_RANK")) return by_open_mpi(v);
    if (v.has("SLURM_PROCID")) return by_slurm(v);
    throw std::system_error(errc::bad_argument,
                            std::string("no launcher has started this process: ") + no_launcher);
}

}  // namespace papilio::detail
