#pragma once

#include "child_report.hpp"
#include "harm.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace papilio::example::chaos {

/// An attempt at a round, as its members have told of it.
struct seen_attempt {
    std::uint32_t round = 0;   ///< rounds done before it
    std::vector<int> members;  ///< of its group
    double from = 0;
    double to = 0;
    std::map<int, std::string> ended;  ///< by member, why it failed; empty: it did not
    bool without = false;              ///< it ended in success without somebody
    std::size_t faults = 0;            ///< that had happened before it ended

    /// Whether it ended in success for more than half of its group.
    bool completed() const;
};

/// What is known of an attempt that is over.
struct judged_attempt {
    seen_attempt seen;

    /// Nothing had happened to more than half of the group, nor to the host, as long as it lasted:
    /// then they go on without the others.
    bool had_majority = false;
};

/// The attempts at rounds, until all have told of each how it has ended.
class attempts {
public:
    /// What a member tells at `now`, before which so many faults have happened.
    void add(int member, const attempt_ended& a, double now, std::size_t faults);

    /// Those that are over: everybody has told of it whom nothing has befallen, or should have.
    std::vector<judged_attempt> take(const harm& to_whom, double now);

private:
    struct entry {
        seen_attempt seen;
        bool judged = false;  // what is told of it later changes nothing
    };
    std::map<std::string, entry> all_;  // by group, of the last minutes
};

}  // namespace papilio::example::chaos
