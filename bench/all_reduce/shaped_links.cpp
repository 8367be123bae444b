#include "all_reduce/shaped_links.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace papilio::bench {

namespace {

void must(const std::string& command)
{
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("cannot shape links: `" + command +
                                 "` failed. This takes root, and the package iproute2");
}

/// A short queue: what waits longer than 50 ms is dropped.
std::string bucket(const std::string& home, const std::string& device, double mbit)
{
    return "tc -n " + home + " qdisc add dev " + device + " root tbf rate " + std::to_string(mbit) +
           "mbit burst 64kb latency 50ms";
}

}  // namespace

shaped_links::shaped_links(const std::vector<access_rate>& mbit, const std::string& congestion)
    : name_("papilio-" + std::to_string(getpid())),
      maker_(getpid()),
      peers_(static_cast<int>(mbit.size()))
{
    try {
        must("ip netns add " + name_);
        must("ip -n " + name_ + " link add hub type bridge");
        must("ip -n " + name_ + " link set hub up");
        for (int rank = 0; rank < peers_; ++rank) {
            give_link(rank, mbit[static_cast<std::size_t>(rank)]);
            if (!congestion.empty())
                must("ip netns exec " + home(rank) + " sh -c 'echo " + congestion +
                     " >/proc/sys/net/ipv4/tcp_congestion_control'");
        }
    } catch (...) {
        remove();
        throw;
    }
}

shaped_links::~shaped_links()
{
    if (getpid() == maker_) remove();
}

void shaped_links::remove() const
{
    std::string command = "ip netns del " + name_;
    for (int rank = 0; rank < peers_; ++rank) command += "; ip netns del " + home(rank);
    // Where making them failed, some are not there.
    [[maybe_unused]] const int ignored = std::system(("{ " + command + "; } 2>/dev/null").c_str());
}

void shaped_links::give_link(int rank, const access_rate& mbit)
{
    const std::string port = "port" + std::to_string(rank);
    const std::string at_home = "ip -n " + home(rank);
    must("ip netns add " + home(rank));
    must(at_home + " link add link0 type veth peer name " + port + " netns " + name_);
    must(at_home + " addr add " + address(rank) + "/24 dev link0");
    must(at_home + " link set lo up");
    must(at_home + " link set link0 up");
    must("ip -n " + name_ + " link set " + port + " master hub up");
    must(bucket(home(rank), "link0", mbit.up));
    must(bucket(name_, port, mbit.down));
}

void shaped_links::enter(int rank) const
{
    const std::string path = "/run/netns/" + home(rank);
    const int there = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool moved = there >= 0 && setns(there, CLONE_NEWNET) == 0;
    if (there >= 0) close(there);
    if (!moved) throw std::runtime_error("cannot enter the network " + path);
}

}  // namespace papilio::bench
