#include "contract/transport_contract.hpp"

#include <papilio/transport/hybrid.hpp>
#include <papilio/transport/inproc.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

#include "support/hybrid_cluster.hpp"
#include "support/shm_cluster.hpp"
#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;

namespace {

void check(const cluster_maker& make)
{
    for (const auto& rule : transport_contract()) {
        DYNAMIC_SECTION(rule.sentence)
        {
            CHECK_NOTHROW(rule.check(make));
        }
    }
}

constexpr pa::tcp::options four_connections{.connections = 4};
constexpr pa::tcp::options adaptive{.connections = 4, .adaptive = true};
constexpr pa::shm::options small_rings{.ring_bytes = 4096};
constexpr pa::sim::weather rough{
    .seed = 5,
    .latency = 20ms,
    .jitter = 50ms,
    .all = {.up_bytes_per_second = 1e6, .down_bytes_per_second = 20e6}};

}  // namespace

TEST_CASE("the simulated transport keeps the contract")
{
    check(cluster_of<sim_cluster>());
}

TEST_CASE("the simulated transport keeps the contract in rough weather")
{
    check(cluster_of<sim_cluster>(rough));
}

TEST_CASE("the transport within a process keeps the contract")
{
    check(cluster_of<inproc_cluster>());
}

TEST_CASE("the transport within a process keeps the contract between threads")
{
    check(cluster_of<inproc_threads_cluster>());
}

TEST_CASE("the TCP transport keeps the contract")
{
    check(cluster_of<tcp_cluster>());
}

TEST_CASE("the TCP transport keeps the contract with four connections for each pair")
{
    check(cluster_of<tcp_cluster>(four_connections));
}

TEST_CASE("the TCP transport keeps the contract where it finds out how many connections to use")
{
    check(cluster_of<tcp_cluster>(adaptive));
}

TEST_CASE("the TCP transport keeps the contract between threads")
{
    check(cluster_of<tcp_threads_cluster>());
}

TEST_CASE("the transport in shared memory keeps the contract")
{
    check(cluster_of<shm_cluster>());
}

TEST_CASE("the transport in shared memory keeps the contract with rings of one page")
{
    check(cluster_of<shm_cluster>(small_rings));
}

TEST_CASE("the transport in shared memory keeps the contract between threads")
{
    check(cluster_of<shm_threads_cluster>());
}

TEST_CASE("the transport of the best links keeps the contract")
{
    check(cluster_of<hybrid_cluster>());
}

TEST_CASE("the transport of the best links keeps the contract between threads")
{
    check(cluster_of<select_threads_cluster>());
}

TEST_CASE("groups within the simulated transport keep the contract")
{
    check(group_of<sim_cluster>(rough));
}

TEST_CASE("groups within a process keep the contract")
{
    check(group_of<inproc_cluster>());
}

TEST_CASE("groups over TCP keep the contract")
{
    check(group_of<tcp_cluster>(four_connections));
}

TEST_CASE("groups in shared memory keep the contract")
{
    check(group_of<shm_cluster>());
}
