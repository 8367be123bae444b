#include "perf/requirement.hpp"

#include "perf/losses/loss_row.hpp"
#include "perf/parse.hpp"
#include "perf/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

namespace papilio::perf {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Reads a value of a row. Returns `nothing` if the row does not have it.
using measure_of = double (*)(const row&);

const std::map<std::string, measure_of, std::less<>>& measures()
{
    static const std::map<std::string, measure_of, std::less<>> all{
        {"time", [](const row& r) { return r.main().seconds * 1e6; }},
        {"p50", [](const row& r) { return r.main().p50 * 1e6; }},
        {"p99", [](const row& r) { return r.main().p99 * 1e6; }},
        {"algbw", [](const row& r) { return r.algbw(r.main()) / 1e9; }},
        {"eta", [](const row& r) { return r.eta(r.main().seconds); }},
        {"eta_first", [](const row& r) { return r.eta(r.first_seconds); }},
        {"eta_idle", [](const row& r) { return r.eta(r.idle_seconds); }},
        {"prediction",
         [](const row& r) {
             const bool known = r.predicted_seconds > 0;
             return known ? r.predicted_seconds / r.main().seconds : nothing;
         }},
        {"relerr",
         [](const row& r) { return r.main().checked ? r.main().relative_error : nothing; }},
        {"cpu",
         [](const row& r) {
             return r.main().processor_seconds * 1e9 / static_cast<double>(r.size);
         }},
        {"wakes", [](const row& r) { return r.main().wakes; }},
        {"peak", [](const row& r) { return r.main().peak_bytes / static_cast<double>(r.size); }},
        {"peak_in_place",
         [](const row& r) {
             return r.in_place ? r.in_place->peak_bytes / static_cast<double>(r.size) : nothing;
         }},
        {"in_over_out",
         [](const row& r) {
             const bool both = r.in_place && r.out_of_place;
             return both ? r.in_place->seconds / r.out_of_place->seconds : nothing;
         }},
        {"lost", [](const row& r) { return static_cast<double>(r.main().lost); }},
    };
    return all;
}

/// The fastest row of `group` that `name` selects. `name` selects the system of this name, or if
/// there is none, all systems whose names begin with it.
const row* fastest(const std::vector<row>& rows, std::size_t group, const std::string& name)
{
    const row* best = nullptr;
    for (const bool exact : {true, false}) {
        for (const auto& r : rows) {
            const bool meant = exact ? r.system == name
                                     : r.system.starts_with(name + '-') ||
                                           (name == "rivals" && r.rival) ||
                                           (name == "others" && r.system.starts_with("papilio-"));
            if (r.group == group && meant && (!best || r.main().seconds < best->main().seconds))
                best = &r;
        }
        if (best) break;
    }
    return best;
}

double value_of(const requirement& q, const std::vector<row>& rows, std::size_t group)
{
    const auto* subject = fastest(rows, group, q.subject);
    if (!subject) return nothing;
    if (q.rival.empty()) {
        const auto found = measures().find(q.measure);
        return found != measures().end() ? found->second(*subject) : nothing;
    }
    const auto* rival = fastest(rows, group, q.rival);
    return rival ? rival->main().seconds / subject->main().seconds : nothing;
}

/// The reason for which `value_of` returned `nothing`.
std::string reason_for_nothing(const requirement& q, const std::vector<row>& rows,
                               std::size_t group)
{
    const auto* subject = fastest(rows, group, q.subject);
    if (subject && q.measure.starts_with("eta")) {
        const auto seconds = q.measure == "eta_first"  ? subject->first_seconds
                             : q.measure == "eta_idle" ? subject->idle_seconds
                                                       : subject->main().seconds;
        char text[160];
        std::snprintf(text, sizeof(text),
                      "%s is above 1 and therefore not valid: the call took %.4g us, less than the "
                      "bound of %.4g us",
                      q.measure.c_str(), seconds * 1e6, subject->bound_seconds * 1e6);
        if (subject->beats_bound(seconds)) return text;
    }
    return "there is nothing to compare";
}

}  // namespace

requirement read_requirement(std::string_view text)
{
    requirement q;
    q.text = text;
    const auto wrong = [&](const std::string& why) {
        refuse("--require takes something like 'eta>=0.95' or 'papilio/gloo>=1.2', not '" + q.text +
               "': " + why);
    };
    const auto sign = text.find_first_of("<>");
    if (sign == std::string_view::npos || text.substr(sign + 1, 1) != "=")
        wrong("it lacks >= or <=");
    q.at_least = text[sign] == '>';
    q.bound = number("--require", text.substr(sign + 2), 0.0);
    const auto left = text.substr(0, sign);
    if (const auto slash = left.find('/'); slash != std::string_view::npos) {
        q.subject = left.substr(0, slash);
        q.rival = left.substr(slash + 1);
    } else if (const auto colon = left.find(':'); colon != std::string_view::npos) {
        q.subject = left.substr(0, colon);
        q.measure = left.substr(colon + 1);
    } else {
        q.measure = left;
    }
    if (q.rival.empty() && !measures().contains(q.measure) && !measures_losses(q.measure))
        wrong("there is no measure " + q.measure);
    return q;
}

bool check_requirements(const std::vector<requirement>& all, const std::vector<row>& rows)
{
    bool good = true;
    std::map<std::size_t, const row*> groups;
    for (const auto& r : rows) groups.try_emplace(r.group, &r);
    for (const auto& q : all)
        for (const auto& [group, first] : groups) {
            const auto value = value_of(q, rows, group);
            // False if the value is NaN.
            const bool met = q.at_least ? value >= q.bound : value <= q.bound;
            std::printf("# %s %s at %s: ", met ? "met   " : "FAILED", q.text.c_str(),
                        first->case_text().c_str());
            if (std::isnan(value))
                std::printf("%s\n", reason_for_nothing(q, rows, group).c_str());
            else
                std::printf("%.4g\n", value);
            good = good && met;
        }
    return good;
}

}  // namespace papilio::perf
