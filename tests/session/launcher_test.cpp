#include <papilio/session.hpp>
#include <papilio/session/impl/launcher.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <string>

namespace pa = papilio;

namespace {

std::map<std::string, std::string, std::less<>>& launcher_environment()
{
    static std::map<std::string, std::string, std::less<>> set;
    return set;
}

pa::detail::launched launched_with(std::map<std::string, std::string, std::less<>> set)
{
    launcher_environment() = std::move(set);
    return pa::detail::launched_by([](const char* name) -> const char* {
        const auto found = launcher_environment().find(name);
        return found == launcher_environment().end() ? nullptr : found->second.c_str();
    });
}

std::string refusal_with(std::map<std::string, std::string, std::less<>> set)
{
    try {
        launched_with(std::move(set));
    } catch (const std::system_error& failure) {
        return pa::sentence(failure);
    }
    return {};
}

}  // namespace

TEST_CASE("torchrun's variables name rank, size and a port behind its own")
{
    const auto l = launched_with({{"RANK", "3"},
                                  {"WORLD_SIZE", "8"},
                                  {"MASTER_ADDR", "node1"},
                                  {"MASTER_PORT", "29500"},
                                  {"SLURM_PROCID", "0"}});
    CHECK(l.rank == 3);
    CHECK(l.size == 8);
    CHECK(l.meeting == pa::tcp::endpoint("node1", 29501));
    const auto other = launched_with({{"RANK", "3"},
                                      {"WORLD_SIZE", "8"},
                                      {"MASTER_ADDR", "node1"},
                                      {"PAPILIO_PORT", "4000"},
                                      {"TORCHELASTIC_RUN_ID", "b"}});
    CHECK(other.meeting.port == 4000);
    CHECK(other.group != l.group);
}

TEST_CASE("Slurm's variables name a host of the step, and the job a port")
{
    const auto l = launched_with({{"SLURM_PROCID", "1"},
                                  {"SLURM_NTASKS", "4"},
                                  {"SLURM_STEP_NODELIST", "gpu[03-07,12],login"},
                                  {"SLURM_JOB_ID", "1234567"}});
    CHECK(l.rank == 1);
    CHECK(l.size == 4);
    CHECK(l.meeting == pa::tcp::endpoint("gpu03", 24567));
    CHECK(pa::detail::first_host_of("login,gpu[03-07]") == "login");
    CHECK(pa::detail::first_host_of("gpu[12,14]") == "gpu12");
    CHECK(pa::detail::first_host_of("one") == "one");
}

TEST_CASE("Open MPI's variables take the meeting place beside them")
{
    const auto l = launched_with({{"OMPI_COMM_WORLD_RANK", "0"},
                                  {"OMPI_COMM_WORLD_SIZE", "2"},
                                  {"MASTER_ADDR", "127.0.0.1"},
                                  {"MASTER_PORT", "5000"}});
    CHECK(l.rank == 0);
    CHECK(l.size == 2);
    CHECK(l.meeting == pa::tcp::endpoint("127.0.0.1", 5001));
    CHECK(refusal_with({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}})
              .find("MASTER_ADDR is not set: pass mpirun -x MASTER_ADDR") == 0);
}

TEST_CASE("what a launcher cannot have meant is refused with the variable's name and range")
{
    CHECK(refusal_with({}).find("no launcher has started this process: start the program by "
                                "torchrun, srun or mpirun") == 0);
    CHECK(refusal_with({{"RANK", "0"}}).find("WORLD_SIZE is not set: torchrun sets") == 0);
    const auto with = [](const char* rank, const char* size, const char* port) {
        return refusal_with(
            {{"RANK", rank}, {"WORLD_SIZE", size}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", port}});
    };
    CHECK(with("8", "8", "1") == "RANK is 0 to 7: it is \"8\"");
    CHECK(with("-1", "8", "1") == "RANK is 0 to 7: it is \"-1\"");
    CHECK(with("0x1", "8", "1") == "RANK is 0 to 7: it is \"0x1\"");
    CHECK(with("0", "0", "1") == "WORLD_SIZE is 1 to 4095: it is \"0\"");
    CHECK(with("0", "2", "65535") == "MASTER_PORT is 1 to 65534: it is \"65535\"");
    CHECK(with("0", "2", "") ==
          "MASTER_PORT is not set: torchrun sets RANK, WORLD_SIZE, "
          "MASTER_ADDR and MASTER_PORT");
    CHECK(refusal_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2x"}}) ==
          "SLURM_NTASKS is 1 to 4095: it is \"2x\"");
}
