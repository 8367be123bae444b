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
    "start the program by torchrun, srun, mpirun or mpiexec, or name rank and endpoints: "
    "communicator(rank, endpoints)";

/// Where torchrun's own store and a trainer's process group listen at `MASTER_PORT`, papilio takes
/// the next one. `PAPILIO_PORT` names another.
inline std::uint16_t meeting_port(const launcher_variables& v, const char* why)
{
    if (v.has("PAPILIO_PORT"))
        return static_cast<std::uint16_t>(v.number("PAPILIO_PORT", 1, 65535, why));
    return static_cast<std::uint16_t>(v.number("MASTER_PORT", 1, 65534, why) + 1);
}

inline std::uint64_t hash_of(std::string_view text, std::uint64_t from)
{
    for (const char c : text) from = hash(from, static_cast<unsigned char>(c));
    return from;
}

/// Unless variables name it, one that follows from `job`, which names no other one that runs at the
/// same time. Empty: nothing does, so that variables must name the port.
inline std::uint16_t port_of_job(const launcher_variables& v, const std::string& job,
                                 const char* why)
{
    const bool named = v.has("PAPILIO_PORT") || v.has("MASTER_PORT");
    if (named || job.empty()) return meeting_port(v, why);
    return static_cast<std::uint16_t>(20000 + hash_of(job, 0) % 10000);
}

inline launched finish(launched l, const std::string& job)
{
    l.group = hash_of(job + ' ' + to_string(l.meeting), static_cast<std::uint64_t>(l.size));
    return l;
}

inline constexpr int most_peers = 4095;

inline launched by_slurm(const launcher_variables& v)
{
    constexpr const char* by = "srun sets it";
    launched l;
    l.size = v.number("SLURM_STEP_NUM_TASKS", 1, most_peers, by);
    l.rank = v.number("SLURM_PROCID", 0, l.size - 1, by);
    const char* const nodes =
        v.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST";
    l.meeting.host =
        v.has("MASTER_ADDR") ? *v.text("MASTER_ADDR") : first_host_of(v.required(nodes, by));
    const auto step = v.required("SLURM_JOB_ID", by) + '.' + v.text("SLURM_STEP_ID").value_or("");
    l.meeting.port = port_of_job(v, step, by);
    return finish(std::move(l), step);
}

/// Where all ranks of a launcher are on one host, they need not be told which.
inline std::string meeting_host_of(const launcher_variables& v, const char* on_this_host, int size,
                                   const char* where)
{
    const bool all_here = v.text(on_this_host) == std::to_string(size);
    return all_here && !v.has("MASTER_ADDR") ? "127.0.0.1" : v.required("MASTER_ADDR", where);
}

inline launched by_open_mpi(const launcher_variables& v)
{
    constexpr const char* by = "mpirun of Open MPI sets it";
    constexpr const char* where =
        "pass mpirun -x MASTER_ADDR, the host of rank 0, where ranks are on several, and where "
        "mpirun is older than 4 -x MASTER_PORT, such that the next one is free there";
    launched l;
    l.size = v.number("OMPI_COMM_WORLD_SIZE", 1, most_peers, by);
    l.rank = v.number("OMPI_COMM_WORLD_RANK", 0, l.size - 1, by);
    l.meeting.host = meeting_host_of(v, "OMPI_COMM_WORLD_LOCAL_SIZE", l.size, where);
    const auto job = v.text("PMIX_NAMESPACE").value_or("");
    l.meeting.port = port_of_job(v, job, where);
    return finish(std::move(l), job);
}

/// Hydra is the launcher of MPICH and of its kin. It says nothing that tells one job from another,
/// so that no port follows.
inline launched by_hydra(const launcher_variables& v)
{
    constexpr const char* by = "mpiexec of MPICH sets it";
    constexpr const char* where =
        "pass mpiexec -genv MASTER_PORT PORT, such that the next one is free on the host of rank "
        "0, and -genv MASTER_ADDR HOST where ranks are on several";
    launched l;
    l.size = v.number("PMI_SIZE", 1, most_peers, by);
    l.rank = v.number("PMI_RANK", 0, l.size - 1, by);
    l.meeting = {meeting_host_of(v, "MPI_LOCALNRANKS", l.size, where), meeting_port(v, where)};
    return finish(std::move(l), "");
}

inline launched by_torchrun(const launcher_variables& v)
{
    constexpr const char* by = "torchrun sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT";
    launched l;
    l.size = v.number("WORLD_SIZE", 1, most_peers, by);
    l.rank = v.number("RANK", 0, l.size - 1, by);
    l.meeting = {v.required("MASTER_ADDR", by), meeting_port(v, by)};
    return finish(std::move(l), v.text("TORCHELASTIC_RUN_ID").value_or(""));
}

/// What the launcher of this process has set; nothing: none has started it. torchrun comes first,
/// since it may run under another one, and Slurm last, since others start their helpers by srun. A
/// script of a job that runs by itself, without srun, is no task of a step. Throws
/// `errc::bad_argument` and names the variable that is missing or wrong.
inline std::optional<launched> find_launched(environment get)
{
    const launcher_variables v(get);
    if (v.has("RANK") || v.has("WORLD_SIZE")) return by_torchrun(v);
    if (v.has("OMPI_COMM_WORLD_RANK")) return by_open_mpi(v);
    if (v.has("PMI_RANK") && v.has("MPI_LOCALNRANKS")) return by_hydra(v);
    if (v.has("SLURM_STEP_NUM_TASKS")) return by_slurm(v);
    return std::nullopt;
}

inline launched launched_by(environment get)
{
    auto found = find_launched(get);
    if (found) return *std::move(found);
    throw std::system_error(errc::bad_argument,
                            std::string("no launcher has started this process: ") + no_launcher);
}

}  // namespace papilio::detail
