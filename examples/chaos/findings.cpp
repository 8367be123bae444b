#include "findings.hpp"

#include <papilio/base/units.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace papilio::example::chaos {

namespace {

/// The median of these times, and the longest.
std::string spread(std::vector<double> seconds)
{
    if (seconds.empty()) return "-";
    std::ranges::sort(seconds);
    return fmt::format("{:.1f} / {:.1f}", seconds[seconds.size() / 2], seconds.back());
}

std::string row_of(const findings& f, fault kind)
{
    int count = 0, failed = 0, without = 0;
    std::vector<double> next, back;
    for (const auto& m : f.faults) {
        if (m.planned.kind != kind) continue;
        ++count;
        failed += m.failed;
        without += m.without;
        if (m.round_after) next.push_back(*m.round_after);
        if (m.back) back.push_back(*m.back);
    }
    return fmt::format("{:<12} {:>6} {:>8} {:>8} {:>14} {:>14}\n", entry_of(kind).name, count,
                       without, failed, spread(std::move(next)), spread(std::move(back)));
}

std::string table(const findings& f)
{
    std::string text = fmt::format("\n{:<12} {:>6} {:>8} {:>8} {:>14} {:>14}\n", "fault", "count",
                                   "without", "failed", "next round", "back");
    for (const auto& entry : faults)
        if (std::ranges::find(f.left_out, entry.kind, &left_out_kind::kind) == f.left_out.end())
            text += row_of(f, entry.kind);
    for (const auto& l : f.left_out)
        text += fmt::format("{:<12} LEFT OUT: {}\n", entry_of(l.kind).name, l.why);
    return text +
           "without, failed: attempts at a round, before the next fault, that went on without "
           "somebody, and\nthat failed; next round: seconds from the fault until the run completed "
           "one; back: from its end until\nits process had part in one again (median / max)\n";
}

std::string growth_of(int process, const resource_trend& t)
{
    if (!t.known()) return {};
    const auto a = t.first(), b = t.last();
    return fmt::format("{}: descriptors {} -> {}, threads {} -> {}, memory {} -> {}\n",
                       process_name(process), a.descriptors, b.descriptors, a.threads, b.threads,
                       human_bytes(a.memory), human_bytes(b.memory));
}

}  // namespace

std::string process_name(int number)
{
    return number == 0 ? "the host" : fmt::format("member {}", number);
}

std::string to_string(const planned_fault& f)
{
    std::string text = fmt::format("{} {}", entry_of(f.kind).says, process_name(f.process));
    if (f.kind == fault::link_down) text += " with " + process_name(f.other);
    if (f.kind == fault::one_way) text += " from " + process_name(f.other);
    if (f.kind == fault::descriptors)
        text += ", and ends its connections with " + process_name(f.other);
    if (f.lasts > 0) text += fmt::format(", for {:.1f} s", f.lasts);
    return text;
}

std::string to_text(const findings& f)
{
    std::string text = table(f);
    text += fmt::format("\nrounds completed {}, in {:.0f} s\n", f.rounds, f.seconds);
    text += fmt::format("attempts at rounds of which a majority was unharmed {}, completed {}\n",
                        f.with_majority, f.completed_with_majority);
    text += fmt::format("wrong numbers {} of {}, in {} results\n", f.checked.wrong_numbers(),
                        f.checked.numbers(), f.checked.results());
    text += f.checked.different() == 0
                ? fmt::format("digests equal, of {} states and {} results\n", f.checked.states(),
                              f.checked.results())
                : fmt::format("DIGESTS DIFFER {} times, of {} states and {} results\n",
                              f.checked.different(), f.checked.states(), f.checked.results());
    for (const auto& [process, trend] : f.lasting) text += growth_of(process, trend);
    constexpr std::size_t most = 20;
    for (std::size_t i = 0; i < std::min(f.failures.size(), most); ++i)
        text += "FAILED: " + f.failures[i] + "\n";
    if (f.failures.size() > most) text += fmt::format("and {} more\n", f.failures.size() - most);
    return text + (f.failures.empty() ? "nothing was wrong\n" : "");
}

}  // namespace papilio::example::chaos
