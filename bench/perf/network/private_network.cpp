#include "perf/network/private_network.hpp"

#include "perf/network/namespace.hpp"
#include "perf/shell.hpp"

#include <unistd.h>

namespace papilio::perf {

namespace {

/// The command for a token bucket with a short queue: it drops packets that would wait longer than
/// 50 ms.
std::string bucket(const std::string& home, const std::string& device, double mbit,
                   const char* how = "add")
{
    return "tc -n " + home + " qdisc " + how + " dev " + device + " root tbf rate " +
           std::to_string(mbit) + "mbit burst 64kb latency 50ms";
}

}  // namespace

private_network::private_network(const std::vector<access_rate>& mbit, double rtt_ms)
    : mbit_(mbit), name_("papilio-" + std::to_string(getpid()))
{
    cleanup_.add("ip netns del " + name_);
    must("ip netns add " + name_);
    must("ip netns exec " + name_ +
         " sh -c 'cd /proc/sys/net/ipv4 && echo 1 >ip_forward && echo 0 >conf/all/rp_filter &&"
         " echo 0 >conf/default/rp_filter && echo 0 >conf/all/send_redirects'");
    must("ip -n " + name_ + " link set lo up");
    for (int rank = 0; rank < static_cast<int>(mbit.size()); ++rank) add_link(rank);
    if (rtt_ms > 0) add_delay(rtt_ms / 2);
}

void private_network::add_link(int rank)
{
    const auto number = std::to_string(rank);
    const auto port = "port" + number;
    const auto at_home = "ip -n " + home(rank);
    const auto at_router = "ip -n " + name_;
    cleanup_.add("ip netns del " + home(rank));
    must("ip netns add " + home(rank));
    must(at_home + " link add link0 type veth peer name " + port + " netns " + name_);
    must(at_home + " addr add " + address(rank) + "/24 dev link0");
    must(at_home + " link set lo up");
    must(at_home + " link set link0 up");
    must(at_router + " addr add 10.77." + number + ".1/24 dev " + port);
    must(at_router + " link set " + port + " up");
    must(default_route(rank));
    set_rates(rank, 1, "add");
}

/// Routes every packet from a peer's link to the delay line first, and then to its destination.
void private_network::add_delay(double milliseconds)
{
    const auto at_router = "ip -n " + name_;
    delay_.emplace(name_, "delay", milliseconds);
    must(at_router + " link set delay txqueuelen 100000 up");
    must(at_router + " route add default dev delay table 77");
    for (std::size_t rank = 0; rank < mbit_.size(); ++rank)
        must(at_router + " rule add iif port" + std::to_string(rank) + " lookup 77");
}

std::string private_network::default_route(int rank) const
{
    return "ip -n " + home(rank) + " route add default via 10.77." + std::to_string(rank) + ".1";
}

void private_network::cut(int rank) const
{
    must("ip -n " + name_ + " rule add iif port" + std::to_string(rank) + " blackhole");
}

void private_network::take_down(int rank) const
{
    must("ip -n " + home(rank) + " link set link0 down");
}

void private_network::set_rates(int rank, double share, const char* how) const
{
    const auto& mbit = mbit_[static_cast<std::size_t>(rank)];
    must(bucket(home(rank), "link0", share * mbit.up, how));
    must(bucket(name_, "port" + std::to_string(rank), share * mbit.down, how));
}

void private_network::slow_down(int rank) const
{
    set_rates(rank, 0.01, "change");
}

void private_network::mend(int rank) const
{
    set_rates(rank, 1, "change");
    shell("ip -n " + name_ + " rule del iif port" + std::to_string(rank) +
          " blackhole 2>/dev/null");
    must("ip -n " + home(rank) + " link set link0 up");
    shell(default_route(rank) + " 2>/dev/null");
}

void private_network::enter(int rank) const
{
    enter_namespace(home(rank));
}

}  // namespace papilio::perf
