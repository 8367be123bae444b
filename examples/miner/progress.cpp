#include "progress.hpp"

#include <member/display.hpp>
#include <member/log_line.hpp>

#include <papilio/base/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace papilio::example {

progress::progress(std::uint64_t total_steps, double minutes)
    : terminal_(::isatty(STDOUT_FILENO) == 1), total_steps_(total_steps), minutes_(minutes)
{
}

std::string progress::time_left(std::uint64_t steps_done) const
{
    double seconds = -1;
    if (total_steps_ > steps_done) seconds = static_cast<double>(total_steps_ - steps_done) * pace_;
    if (minutes_ > 0) {
        const std::chrono::duration<double> gone = clock::now() - begun_;
        const double left = std::max(0.0, minutes_ * 60 - gone.count());
        seconds = seconds < 0 ? left : std::min(seconds, left);
    }
    return seconds < 0 ? "" : ", " + span_of(std::round(seconds)) + " left";
}

void progress::step(const step_report& r, std::uint64_t round, std::uint64_t left_in_round)
{
    pace_ = pace_ == 0 ? r.seconds : 0.8 * pace_ + 0.2 * r.seconds;
    const auto now = clock::now();
    const auto interval = terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
    if (now < shown_ + interval) return;
    shown_ = now;
    const double tokens = pace_ > 0 ? static_cast<double>(r.tokens) / pace_ : 0;
    draw(fmt::format("round {}, step {}: loss {:.3f}, {:.0f} tokens/s, next averaging in {}{}",
                     round + 1, r.step + 1, r.loss, tokens,
                     span_of(std::round(static_cast<double>(left_in_round) * pace_)),
                     time_left(r.step + 1)));
}

void progress::waiting(const std::string& line)
{
    shown_ = {};
    draw(line);
}

/// Replaces the previous line. Cut at the terminal's width, since a wrapped line could not be
/// replaced.
void progress::draw(const std::string& line)
{
    if (!terminal_) return note(line);
    const auto columns = size_of_display().columns;
    const std::string shown = printable(line, columns - 1);
    const auto width = std::min(std::max(drawn_, shown.size()), columns - 1);
    std::fputs(fmt::format("\r{:<{}}", shown, width).c_str(), stdout);
    std::fflush(stdout);
    drawn_ = shown.size();
}

void progress::clear()
{
    if (drawn_ > 0) std::fputs(fmt::format("\r{:<{}}\r", "", drawn_).c_str(), stdout);
    drawn_ = 0;
}

void progress::print(const std::string& line, log_level level)
{
    clear();
    const std::string shown = printable(line);
    std::fputs(((terminal_ ? shown : log_line(name(level), shown)) + "\n").c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace papilio::example
