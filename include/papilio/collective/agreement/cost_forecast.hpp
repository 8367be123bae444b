#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/arrival_history.hpp>
#include <papilio/collective/agreement/data_partner.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What it saves to go on without a partner, in seconds.
struct cost_forecast {
    double saved = 0;
    double without = 0;  ///< how long the call takes then
    double lost = 0;     ///< how late the call is by now, all peers together
};

/// What is known of a call to tell that from.
struct course {
    const arrival_history& history;  ///< not empty
    const std::vector<data_partner>& partners;
    std::uint32_t bunch = 1;  ///< messages of a peer that may be under way at a time
};

/// Of partner i, of which the last message came at `last_message`. The pace of a call has to have
/// been seen for `least_seen` seconds.
///
/// *With* a peer the call takes as long as the rest of its messages, at the pace of its latest; and
/// whoever has kept it waiting for the next one for a while is expected to do so for as long again.
/// *Without* it the call takes as long as the rest of everybody's, as fast as they came before.
/// Messages count, and no bytes: whoever sends a byte now and then is as slow as it is.
///
/// The latest messages are as many as may come together, so that what comes in bunches is no
/// slower than what does not, and an eighth of that as well, so that a pause that is over is not
/// expected again.
inline cost_forecast forecast(const course& of, std::size_t i, time_point last_message,
                              time_point now, double least_seen)
{
    using seconds = std::chrono::duration<double>;
    const auto& history = of.history;
    const auto& samples = history.samples();
    const auto& last = history.last();
    const auto& p = of.partners[i];
    const double left = p.messages() - std::min(p.messages(), last.came[i]);
    const auto waiting = now - std::max(last_message, history.resumed());
    const auto window =
        std::max(std::min(of.bunch, last.came[i] - history.first().came[i]), std::uint32_t{2});
    const double pace =
        std::min(history.pace_of(i, window, now - waiting),
                 history.pace_of(i, std::min(window, window / 8 + 2), now - waiting));
    const double with = left * pace + seconds(waiting).count();

    // Everybody's pace before that, or that of the first half of all that has come.
    const auto before =
        std::max(history.first().all + history.come() / 2, history.since(i, window).all);
    const auto enough = std::ranges::find_if(samples, [&](const arrival_history::sample& s) {
        return s.all >= before && seconds(s.when - history.first().when).count() >= least_seen;
    });
    const auto reference = enough != samples.end() ? enough : samples.end() - 1;
    std::uint64_t expected = 0;
    for (const auto& each : of.partners) expected += each.messages();
    const auto rest = static_cast<double>(expected - std::min(expected, last.all));
    const double usual = seconds(reference->when - history.first().when).count() /
                         static_cast<double>(reference->all - history.first().all);
    const double without = rest * usual;
    double lost = 0;
    for (auto since = reference; since != samples.end(); ++since)
        lost = std::max(lost, seconds(now - std::max(since->when, history.resumed())).count() -
                                  static_cast<double>(last.all - since->all) * usual);
    return {.saved = with - without, .without = without, .lost = lost};
}

}  // namespace papilio::detail
