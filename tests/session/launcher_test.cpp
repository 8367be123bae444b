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

TEST_CASE("Slurm's variables name a host of the step, and the step a port")
{
    const auto step = [](const char* job, const char* number) {
        return launched_with({{"SLURM_PROCID", "1"},
                              {"SLURM_STEP_NUM_TASKS", "4"},
                              {"SLURM_STEP_NODELIST", "gpu[03-07,12],login"},
                              {"SLURM_JOB_ID", job},
                              {"SLURM_STEP_ID", number}});
    };
    const auto l = step("1234567", "0");
    CHECK(l.rank == 1);
    CHECK(l.size == 4);
    CHECK(l.meeting.host == "gpu03");
    CHECK(l.meeting.port >= 20000);
    CHECK(l.meeting.port < 30000);
    CHECK(step("1234567", "0").group == l.group);
    CHECK(step("1234567", "1").meeting.port != l.meeting.port);
    CHECK(step("1234567", "1").group != l.group);
    CHECK(step("1234568", "0").meeting.port != l.meeting.port);
    CHECK(pa::detail::first_host_of("login,gpu[03-07]") == "login");
    CHECK(pa::detail::first_host_of("gpu[12,14]") == "gpu12");
    CHECK(pa::detail::first_host_of("one") == "one");
}

TEST_CASE("a script of a job of Slurm's is no task of a step, and finds no launcher")
{
    CHECK(refusal_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}, {"SLURM_JOB_ID", "3"}})
              .find("no launcher has started this process") == 0);
}

TEST_CASE("Open MPI's variables name a port, and the host where all ranks are on one")
{
    const auto l = launched_with({{"OMPI_COMM_WORLD_RANK", "0"},
                                  {"OMPI_COMM_WORLD_SIZE", "2"},
                                  {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
                                  {"SLURM_STEP_NUM_TASKS", "7"},
                                  {"MASTER_ADDR", "node7"},
                                  {"MASTER_PORT", "5000"}});
    CHECK(l.rank == 0);
    CHECK(l.size == 2);
    CHECK(l.meeting == pa::tcp::endpoint("node7", 5001));
    const auto here = [](const char* job) {
        return launched_with({{"OMPI_COMM_WORLD_RANK", "1"},
                              {"OMPI_COMM_WORLD_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                              {"PMIX_NAMESPACE", job}});
    };
    CHECK(here("1329266689").meeting.host == "127.0.0.1");
    CHECK(here("1329266689").meeting.port >= 20000);
    CHECK(here("1329266690").meeting.port != here("1329266689").meeting.port);
    CHECK(here("1329266690").group != here("1329266689").group);
    CHECK(refusal_with({{"OMPI_COMM_WORLD_RANK", "0"},
                        {"OMPI_COMM_WORLD_SIZE", "2"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
                        {"PMIX_NAMESPACE", "1"}})
              .find("MASTER_ADDR is not set: pass mpirun -x MASTER_ADDR") == 0);
    CHECK(refusal_with({{"OMPI_COMM_WORLD_RANK", "0"},
                        {"OMPI_COMM_WORLD_SIZE", "2"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}})
              .find("MASTER_PORT is not set: pass mpirun -x MASTER_ADDR") == 0);
}

TEST_CASE("MPICH's variables take the port beside them, and the host where ranks are on several")
{
    const auto with = [](const char* on_this_host, const char* host) {
        return std::map<std::string, std::string, std::less<>>{{"PMI_RANK", "1"},
                                                               {"PMI_SIZE", "4"},
                                                               {"MPI_LOCALNRANKS", on_this_host},
                                                               {"SLURM_STEP_NUM_TASKS", "7"},
                                                               {"MASTER_ADDR", host},
                                                               {"MASTER_PORT", "5000"}};
    };
    const auto l = launched_with(with("4", ""));
    CHECK(l.rank == 1);
    CHECK(l.size == 4);
    CHECK(l.meeting == pa::tcp::endpoint("127.0.0.1", 5001));
    CHECK(launched_with(with("2", "node7")).meeting == pa::tcp::endpoint("node7", 5001));
    CHECK(refusal_with(with("2", "")).find("MASTER_ADDR is not set: pass mpiexec -genv") == 0);
    CHECK(refusal_with({{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"MPI_LOCALNRANKS", "4"}})
              .find("MASTER_PORT is not set: pass mpiexec -genv MASTER_PORT") == 0);
}

TEST_CASE("what a launcher cannot have meant is refused with the variable's name and range")
{
    CHECK(refusal_with({}).find("no launcher has started this process: start the program by "
                                "torchrun, srun, mpirun or mpiexec") == 0);
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
    CHECK(refusal_with({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2x"}}) ==
          "SLURM_STEP_NUM_TASKS is 1 to 4095: it is \"2x\"");
}
