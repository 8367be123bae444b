#pragma once

#include "vectors.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What the processes of the run tell the one that started them, over a pipe.
namespace papilio::example::chaos {

/// The host accepts members.
struct hosting {
    std::string address;
};

/// An attempt at a round has ended for a member.
struct attempt_ended {
    std::uint32_t round = 0;  ///< rounds done before it
    std::string group;        ///< the same for all members of the attempt, and for no other
    bool ok = false;
    double seconds = 0;
    std::vector<int> members;                ///< of the group
    std::string why;                         ///< if not ok
    std::vector<int> without;                ///< if ok: members that were lost meanwhile
    std::vector<contributed_range> made_of;  ///< if ok
    std::vector<float> mean;                 ///< if ok
};

/// A member has another state: that after a round in which it took part, or one that it fetched.
struct state_taken {
    std::uint32_t round = 0;  ///< rounds done
    std::string digest;
    bool fetched = false;
};

/// The host has settled a round.
struct round_settled {
    std::uint32_t round = 0;  ///< rounds done
    std::string digest;       ///< empty: it tells none
};

/// What the process does now, for people.
struct doing {
    std::string text;
};

using child_report = std::variant<hosting, attempt_ended, state_taken, round_settled, doing>;

/// One line of JSON, and after that of an `attempt_ended` its mean as it lies in memory.
std::string encode(const child_report& r);

/// Cuts what comes through a pipe into reports.
class report_reader {
public:
    void add(std::string_view bytes) { waiting_.append(bytes); }

    /// The next report; nothing while it is not here as a whole. Throws a `problem` for what no
    /// process of the run writes.
    std::optional<child_report> next();

private:
    std::string waiting_;
    std::size_t begin_ = 0;  // of the next report in `waiting_`
};

}  // namespace papilio::example::chaos
