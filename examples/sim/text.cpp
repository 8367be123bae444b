#include "text.hpp"

#include <array>
#include <cstdio>

namespace papilio::example::simulator {

namespace {

std::string in_ms(duration at)
{
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%12.6f ms  ", static_cast<double>(at.count()) / 1e6);
    return text.data();
}

}  // namespace

std::string heading(const scenario& s)
{
    return "seed " + std::to_string(s.seed) + ": " + to_string(s) + "\n" +
           (s.faults.empty() ? "nothing befalls it" : sim::to_string(s.faults)) + "\n";
}

std::string to_text(const happening& h)
{
    return in_ms(h.at) + h.what;
}

std::string to_text(const run_record& r)
{
    std::string text = heading(r.of) + "\n";
    for (const auto& h : r.timeline) text += to_text(h) + "\n";
    return text;
}

std::string to_repeat(const scenario& s)
{
    return "papilio-sim --seed " + std::to_string(s.seed) + " --schedule '" +
           sim::to_string(s.faults) + "'";
}

}  // namespace papilio::example::simulator
