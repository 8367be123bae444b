#pragma once

#include <sys/stat.h>

#include <fstream>
#include <string>

namespace papilio::shm {

/// Where a peer is found by others of its host: the host, and a name there that no file has. An
/// empty host is this one. An empty name marks a peer that cannot be dialled; as one's own, it lets
/// the system choose.
struct address {
    std::string host;
    std::string name;

    friend bool operator==(const address&, const address&) = default;
};

inline std::string to_string(const address& a)
{
    return a.name + " on host " + a.host;
}

/// What processes have in common that can reach each other by name: the boot of the machine, and
/// the network namespace. Empty where the system does not tell.
inline std::string this_host()
{
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    struct stat network {};
    if (boot.empty() || ::stat("/proc/self/ns/net", &network) != 0) return {};
    return boot + "-" + std::to_string(network.st_ino);
}

}  // namespace papilio::shm
