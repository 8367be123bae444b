#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// What can befall peers of a `world`.
enum class verb : std::uint8_t {
    crash,      ///< a process dies
    restart,    ///< a process dies, and after a while another one is in its place
    stop,       ///< a process stands still
    slow,       ///< each KiB takes a while, to the peer and from it
    clog,       ///< what two peers send each other takes longer
    reorder,    ///< it takes longer, each message another time
    cut,        ///< what the first peer sends the second one does not arrive
    partition,  ///< these peers and the others do not hear each other
    drop,       ///< the link between two peers ends
    flip,       ///< a bit of the next data that a call's first peer sends the second one changes
};
inline constexpr int verbs = 10;

/// How a verb is written, and what it takes.
struct verb_entry {
    verb what;
    std::string_view name;
    int peers;  ///< how many; 0: one or more
    bool by;    ///< whether it takes a figure
};
inline constexpr verb_entry verb_table[verbs] = {
    {verb::crash, "crash", 1, false}, {verb::restart, "restart", 1, false},
    {verb::stop, "stop", 1, false},   {verb::slow, "slow", 1, true},
    {verb::clog, "clog", 2, true},    {verb::reorder, "reorder", 2, true},
    {verb::cut, "cut", 2, false},     {verb::partition, "partition", 0, false},
    {verb::drop, "drop", 2, false},   {verb::flip, "flip", 2, false},
};
constexpr const verb_entry& entry_of(verb v)
{
    return verb_table[static_cast<std::size_t>(v)];
}

/// Something that befalls peers at a time, and is over after a while.
struct fault {
    duration at{};
    verb what{};
    std::vector<int> peers;
    duration by{};     ///< how much longer a message, or a KiB, takes
    duration lasts{};  ///< 0: for good
    friend bool operator==(const fault&, const fault&) = default;
};
using schedule = std::vector<fault>;

/// One line: "1.5ms stop 2 for 300ms; 20ms clog 0,1 by 5ms; 20ms crash 3".
std::string to_string(const schedule& all);

/// The schedule that this line says. Throws `errc::bad_argument` and says where it is not one among
/// `peers` peers. Times are in s, ms, us or ns.
schedule parse_schedule(std::string_view text, int peers);

}  // namespace papilio::sim

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/sim/impl/faults.hpp>
#endif
