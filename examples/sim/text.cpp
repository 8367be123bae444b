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

std::string to_text(const run_record& r)
{
    std::string text = "seed " + std::to_string(r.of.seed) + ": " + to_string(r.of) + "\n";
    text += r.of.faults.empty() ? "nothing befalls it" : sim::to_string(r.of.faults);
    text += "\n\n";
    for (const auto& h : r.timeline) text += in_ms(h.at) + h.what + "\n";
    return text;
}

std::string to_repeat(const scenario& s)
{
    return "papilio-sim --seed " + std::to_string(s.seed) + " --schedule '" +
           sim::to_string(s.faults) + "'";
}

}  // namespace papilio::example::simulator
