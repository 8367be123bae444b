#include "harm.hpp"

#include <algorithm>

namespace papilio::example::chaos {

void harm::note(int process, bool harmed, double now)
{
    auto& h = of(process);
    if (harmed && !h.since) h.since = now;
    if (harmed || !h.since) return;
    add(process, *h.since, now);
    h.since.reset();
}

bool harm::any(int process, double from, double to) const
{
    const auto& h = all_.at(static_cast<std::size_t>(process));
    if (h.since && *h.since <= to) return true;
    return std::ranges::any_of(h.past, [&](const span& s) { return s.from <= to && s.to >= from; });
}

}  // namespace papilio::example::chaos
