#pragma once

#include "run.hpp"

#include <papilio/collective/report.hpp>
#include <papilio/plan/partition.hpp>

#include <string>
#include <vector>

namespace papilio::example::simulator {

/// The elements that the result of `rank` is made of: an auxiliary that declines has those of its
/// part.
part result_of(const scenario& s, int rank);

/// Whether `rank` is of the view that has been decided: others may have gone on without it.
bool was_member(int rank, const papilio::report& decided);

/// What the results of those who have succeeded, and what they report of them, should not be, in
/// sentences: against what the contributors add up to in double. Pure.
std::vector<std::string> wrong_results(const run_record& r);

}  // namespace papilio::example::simulator
