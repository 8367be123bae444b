#include "search.hpp"

#include "checks.hpp"
#include "text.hpp"

#include <papilio/sim/shrink.hpp>

#include <algorithm>
#include <cstdio>

namespace papilio::example::simulator {

namespace {

std::string row(const std::string& name, int count)
{
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "%10d  %s\n", count, name.c_str());
    return text.data();
}

}  // namespace

int views_of(const run_record& r)
{
    int last = 0;
    for (const auto& end : r.ends)
        if (end.success) last = std::max(last, 1 + end.success->view);
    return last;
}

void add(tally& t, const run_record& r)
{
    ++t.runs;
    if (!r.of.faults.empty()) ++t.with_faults;
    if (!r.of.faults.empty() && r.of.salvage) {
        ++t.salvaged;
        const auto view = std::clamp(views_of(r), 1, static_cast<int>(t.views.size()));
        ++t.views[static_cast<std::size_t>(view - 1)];
    }
    for (const auto& end : r.ends) {
        if (end.success)
            ++t.successes;
        else if (end.failure)
            ++t.errors[end.failure->code().message()];
        else
            ++t.without_end;
    }
}

finding shrunk(const scenario& failing)
{
    return shrunk(failing, violations);
}

finding shrunk(const scenario& failing, const judgement& by)
{
    finding smallest{failing, {}};
    const auto fails = [&](const sim::schedule& faults) {
        scenario s = failing;
        s.faults = faults;
        return !by(run(s)).empty();
    };
    smallest.of.faults = sim::shrink(failing.faults, fails);
    smallest.violations = by(run(smallest.of));
    return smallest;
}

std::string to_text(const tally& t, double seconds)
{
    std::string text;
    text += row("runs", t.runs);
    text += row("runs per second", static_cast<int>(t.runs / std::max(seconds, 1e-3)));
    text += row("with faults", t.with_faults);
    text += row("with faults and salvage; of these", t.salvaged);
    constexpr std::array views{"  nobody went beyond the first view", "  the second view",
                               "  the third view", "  a later view"};
    for (std::size_t i = 0; i < views.size(); ++i) text += row(views[i], t.views[i]);
    text += row("peers that succeeded", t.successes);
    for (const auto& [what, count] : t.errors) text += row("that failed: " + what, count);
    return text + row("that were lost", t.without_end);
}

std::string to_text(const finding& f)
{
    std::string text = "seed " + std::to_string(f.of.seed) + ":\n";
    for (const auto& v : f.violations) text += "  " + v + "\n";
    return text + "  to see it again: " + to_repeat(f.of) + "\n";
}

}  // namespace papilio::example::simulator
