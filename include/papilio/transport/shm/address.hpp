#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace papilio::inline PAPILIO_MODE::shm {

/// Where a peer listens for other processes of its host: the host, and the name of an abstract Unix
/// socket there. An empty host means this host. An empty name marks a peer that cannot be dialled;
/// in a peer's own address it means that the system chooses a name.
struct address {
    std::string host;
    std::string name;

    friend bool operator==(const address&, const address&) = default;
};

inline std::string to_string(const address& a)
{
    return a.name + " on host " + a.host;
}

/// Identifies the processes that can reach each other by name: the machine, since its boot, and the
/// network namespace. Empty if the system does not report them.
inline std::string this_host()
{
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    struct stat network {};
    if (boot.empty() || ::stat("/proc/self/ns/net", &network) != 0) return {};
    return boot + "-" + std::to_string(network.st_ino);
}

/// The same in a number; 0 if the system does not report them.
inline std::uint64_t host_number()
{
    std::uint64_t number = 0;
    for (const char c : this_host()) number = hash(number, static_cast<unsigned char>(c));
    return number;
}

}  // namespace papilio::shm
