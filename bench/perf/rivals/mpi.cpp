#include "perf/rivals/mpi.hpp"

#include "perf/interrupt.hpp"
#include "perf/listener.hpp"
#include "perf/report_skipped.hpp"
#include "perf/shell.hpp"
#include "perf/temporary_folder.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace papilio::perf {

namespace {

#ifdef PAPILIO_PERF_OPENMPI
constexpr bool built_with_openmpi = true;
#else
constexpr bool built_with_openmpi = false;
#endif
#ifdef PAPILIO_PERF_MPICH
constexpr bool built_with_mpich = true;
#else
constexpr bool built_with_mpich = false;
#endif

/// The command line of mpirun.
struct launch {
    std::string name;
    std::string environment;  ///< assignments before the command
    std::string command;      ///< the command without the program
    bool shared_memory = false;
};

/// Writes a script that replaces ssh. Each namespace looks like a host to an MPI, and the script
/// runs a command in it. The rank is part of the host's address.
std::string write_agent(const std::string& folder, const private_network& net)
{
    const auto path = folder + "/agent";
    std::ofstream(path) << "#!/bin/sh\n"
                           "while case $1 in -*) true ;; *) false ;; esac; do shift; done\n"
                           "rank=${1#10.77.}; rank=${rank%.2}; shift\n"
                           "exec ip netns exec "
                        << net.router()
                        << "-$rank unshare --uts sh -c \"hostname peer$rank; $*\"\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

std::string hosts_of(const options& o, const char* slots)
{
    std::string all;
    for (int rank = 0; rank < o.peers; ++rank)
        all += (rank > 0 ? "," : "") + private_network::address(rank) + slots;
    return all;
}

launch open_mpi(const options& o, const private_network* net, bool shared_memory,
                const std::string& folder)
{
    launch l{shared_memory ? "openmpi-shm" : "openmpi", {}, {}, shared_memory};
    l.environment = "OMPI_MCA_rmaps_base_oversubscribe=1";
    l.command = "mpirun.openmpi --allow-run-as-root --oversubscribe --mca pml ob1 --mca btl " +
                std::string(shared_memory ? "vader,self" : "tcp,self") +
                " -x PAPILIO_PERF_CONGESTION";
    if (!shared_memory)
        l.command += net ? " --mca btl_tcp_if_include link0" : " --mca btl_tcp_if_include lo";
    if (net)
        l.command = "ip netns exec " + net->router() + ' ' + l.command + " --mca plm_rsh_agent " +
                    write_agent(folder, *net) + " --mca plm_rsh_no_tree_spawn 1 --host " +
                    hosts_of(o, ":1");
    return l;
}

launch mpich(const options& o, const private_network* net, bool shared_memory,
             const std::string& folder)
{
    launch l{shared_memory ? "mpich-shm" : "mpich", {}, {}, shared_memory};
    l.environment = shared_memory ? "UCX_TLS=sm,self"
                                  : "MPIR_CVAR_NOLOCAL=1 UCX_TLS=tcp,self UCX_NET_DEVICES=" +
                                        std::string(net ? "link0" : "lo");
    l.command = "mpirun.mpich";
    if (net)
        l.command = "ip netns exec " + net->router() + ' ' + l.command +
                    " -localhost 10.77.0.1 -launcher ssh -launcher-exec " +
                    write_agent(folder, *net) + " -hosts " + hosts_of(o, "");
    return l;
}

/// The peers that an mpirun has started.
class mpi_workers final : public remote_workers {
public:
    mpi_workers(const launch& l, const options& o, const std::string& program,
                std::unique_ptr<temporary_folder> folder)
        : folder_(std::move(folder))
    {
        const auto door = folder_->path() + "/" + l.name;
        listener doors(door);
        start(l.environment + " exec " + l.command + " -np " + std::to_string(o.peers) + ' ' +
              program + ' ' + door + " >" + log() + " 2>&1");
        lines_ = doors.accept_all(1, o.peers, 60, [this] { throw_if_ended(); });
    }

    ~mpi_workers() override
    {
        lines_.clear();  // the peers end when their channels close
        for (int i = 0; i < 30 && process_ > 0; ++i) {
            if (waitpid(process_, nullptr, WNOHANG) == process_) return;
            usleep(100'000);
        }
        kill(process_, SIGTERM);
        usleep(200'000);
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
    }

    /// Only the first call is a fresh one, since an MPI cannot be joined again.
    std::optional<measurement> run(const job& j, double patience) override
    {
        if (j.fresh && called_) return std::nullopt;
        called_ = true;
        job usual = j;
        usual.fresh = false;
        return remote_workers::run(usual, patience);
    }

private:
    std::string log() const { return folder_->path() + "/log"; }

    void start(const std::string& command)
    {
        process_ = fork();
        if (process_ < 0) throw std::runtime_error("cannot fork");
        if (process_ > 0) return;
        prctl(PR_SET_PDEATHSIG, SIGTERM);  // mpirun then ends its peers
        setpgid(0, 0);                     // only the coordinator handles Ctrl-C
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }

    void throw_if_ended()
    {
        if (waitpid(process_, nullptr, WNOHANG) != process_) return;
        process_ = -1;
        std::ostringstream text;
        text << std::ifstream(log()).rdbuf();
        throw std::runtime_error("its mpirun ended: " + text.str().substr(0, 600));
    }

    std::unique_ptr<temporary_folder> folder_;
    pid_t process_ = -1;
    bool called_ = false;
};

/// The reason for which an MPI is not available. Empty if it is available.
std::string why_not(const std::string& name, const std::string& program)
{
    const bool open = name == "openmpi";
    const std::string packages = open ? "openmpi-bin libopenmpi-dev" : "mpich libmpich-dev";
    if (!(open ? built_with_openmpi : built_with_mpich))
        return "which was not found when this program was built (Debian: " + packages + ")";
    if (!std::filesystem::exists(program))
        return "whose peers are another program, which is not there: " + program;
    if (!shell("command -v mpirun." + name + " >/dev/null"))
        return "whose mpirun." + name + " is not installed (Debian: " + packages + ")";
    return {};
}

}  // namespace

void add_mpi(const std::string& name, const options& o, const private_network* net,
             std::vector<measured_system>& all)
{
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const auto program = (here / ("papilio-perf-" + name)).string();
    if (const auto why = why_not(name, program); !why.empty())
        return report_skipped(name + ", " + why);
    for (const bool shared_memory : {false, true}) {
        if (shared_memory && net) continue;
        auto folder = std::make_unique<temporary_folder>();
        const auto l =
            (name == "openmpi" ? open_mpi : mpich)(o, net, shared_memory, folder->path());
        try {
            measured_system e;
            e.name = l.name;
            e.rival = true;
            e.peers = std::make_unique<mpi_workers>(l, o, program, std::move(folder));
            all.push_back(std::move(e));
        } catch (const std::exception& failure) {
            throw_if_interrupted();
            report_skipped(l.name + ": " + failure.what());
        }
    }
}

}  // namespace papilio::perf
