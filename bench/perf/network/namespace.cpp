#include "perf/network/namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>

namespace papilio::perf {

void enter_namespace(const std::string& name)
{
    const std::string path = "/run/netns/" + name;
    const int there = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool moved = there >= 0 && setns(there, CLONE_NEWNET) == 0;
    if (there >= 0) close(there);
    if (!moved) throw std::runtime_error("cannot enter the network namespace " + path);
}

}  // namespace papilio::perf
