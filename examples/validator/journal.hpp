#pragma once

#include <papilio/swarm/membership_events.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example {

/// A round that more than half of its group have settled.
struct settled_round {
    std::uint32_t round = 0;             ///< rounds done with it
    std::string digest;                  ///< of the state after it
    std::vector<std::uint64_t> members;  ///< identities of those that reported this digest
    friend bool operator==(const settled_round&, const settled_round&) = default;
};

/// The settled rounds of a run, in a file with one line of JSON for each: what a validator that
/// comes back believes. A line is on disk before anybody is told of its round, and names the run. A
/// last line that was not written whole is forgotten.
class journal {
public:
    /// Reads what there is, and appends to it. An empty path keeps nothing. Throws a `problem` when
    /// the file is another run's, cannot be read, or is damaged before its last line.
    journal(std::filesystem::path path, std::string run);
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;
    ~journal();

    /// Nothing: no round has been settled yet.
    const std::optional<settled_round>& last() const { return last_; }

    /// Throws a `problem` when it cannot be written to disk. Then the next one is tried as well.
    void append(const settled_round& s);

private:
    void read();

    std::filesystem::path path_;
    std::string run_;
    int file_ = -1;
    std::uint64_t good_ = 0;  // bytes up to the end of the last whole line
    std::optional<settled_round> last_;
};

/// Where a run with this last settled round goes on: its state is that after the round, unless what
/// `run` tells is later, and those who settled it are asked whether they know of more.
void go_on_from(const settled_round& last, run_description& run);

}  // namespace papilio::example
