#pragma once

#include "run.hpp"

#include <papilio/sim/faults.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace papilio::example::simulator {

/// How runs have ended.
struct tally {
    int runs = 0;
    int with_faults = 0;
    int salvaged = 0;                   ///< with faults and `salvage`
    std::array<int, 4> views{};         ///< of these: the last view was the first, ...
    int successes = 0;                  ///< of peers
    std::map<std::string, int> errors;  ///< of peers, by what they say
    int without_end = 0;                ///< peers that were lost
    friend bool operator==(const tally&, const tally&) = default;
};

void add(tally& t, const run_record& r);

/// The last view that anybody has succeeded in, counted from 1; 0: nobody has.
int views_of(const run_record& r);

/// A run that has shown what none may.
struct finding {
    scenario of;  ///< with the smallest schedule that is found to fail
    std::vector<std::string> violations;
};

/// The same with fewer and weaker faults, if it still fails so.
finding shrunk(const scenario& failing);

/// Judges a run. For those who want to see a check fail, another one may take the place of
/// `violations`.
using judgement = std::function<std::vector<std::string>(const run_record&)>;
finding shrunk(const scenario& failing, const judgement& by);

/// As a table.
std::string to_text(const tally& t, double seconds);
std::string to_text(const finding& f);

}  // namespace papilio::example::simulator
