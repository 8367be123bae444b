#pragma once

#include <cstddef>
#include <string_view>

namespace papilio::example::chaos {

/// What can happen to a process of the run, or to the link between two. The validator is called
/// the host.
enum class fault {
    kill,         ///< a member, by SIGKILL; it is started again after a while
    stop,         ///< a member, by SIGSTOP; it goes on after a while
    restart,      ///< a member, by SIGTERM; it is started again as soon as it has ended
    link_down,    ///< the connections between two processes end
    one_way,      ///< what one process sends to another is dropped for a while
    full_disk,    ///< a process can write to no file for a while
    descriptors,  ///< a member gets no new descriptor for a while, and its links to another end
    host_kill,    ///< the host, by SIGKILL; it is started again after a while
};

struct fault_entry {
    fault kind;
    std::string_view name;  ///< for --only, and in the table
    std::string_view says;  ///< what is printed when it happens, before the process
};
inline constexpr fault_entry faults[] = {
    {fault::kill, "kill", "kills"},
    {fault::stop, "stop", "stops"},
    {fault::restart, "restart", "restarts"},
    {fault::link_down, "link-down", "ends the connections of"},
    {fault::one_way, "one-way", "drops what arrives at"},
    {fault::full_disk, "full-disk", "fills the disk of"},
    {fault::descriptors, "descriptors", "lets no descriptors to"},
    {fault::host_kill, "host-kill", "kills"},
};

constexpr const fault_entry& entry_of(fault f)
{
    return faults[static_cast<std::size_t>(f)];
}

/// Whether a fault of this kind takes the process itself away for a while, so that it lives on
/// without its memory.
constexpr bool ends_process(fault f)
{
    return f == fault::kill || f == fault::restart || f == fault::host_kill;
}

/// Whether a fault of this kind is about two processes.
constexpr bool takes_two(fault f)
{
    return f == fault::link_down || f == fault::one_way || f == fault::descriptors;
}

}  // namespace papilio::example::chaos
