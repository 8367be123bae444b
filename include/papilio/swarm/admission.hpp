#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/text.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::uint32_t no_member = std::numeric_limits<std::uint32_t>::max();

/// Whether a member other than `except` listens at `at`. Members that do not listen never collide.
inline bool address_taken(const member_map& members, const wire::endpoint& at, std::uint32_t except)
{
    return at.port != 0 && std::ranges::any_of(members, [&](const auto& entry) {
               return entry.first != except && entry.second.at == at;
           });
}

inline std::string taken_by_another(const wire::endpoint& at)
{
    return "there is a member at " + at.host.substr(0, 100) + " port " + std::to_string(at.port) +
           " already";
}

/// Text from a peer, cut so that a whole sentence fits into a message.
inline std::string quoted(const std::string& text)
{
    return '"' + text.substr(0, 60) + '"';
}

/// The first settings of which the member has other values than the run, as a sentence; empty: none
/// of those that both have told.
inline std::string different_settings(const std::vector<wire::setting>& run,
                                      const std::vector<wire::setting>& own)
{
    std::string all;
    for (const auto& ours : run) {
        const auto yours = std::ranges::find(own, ours.name, &wire::setting::name);
        if (yours == own.end() || yours->value == ours.value) continue;
        auto one = (all.empty() ? "the run has " : ", and ") + ours.name.substr(0, 30) + ' ' +
                   ours.value.substr(0, 40) + ", this member " + yours->value.substr(0, 40);
        if (all.size() + one.size() > 200) break;
        all += one;
    }
    return all;
}

/// Why a member with these settings can never take part; empty: it can.
inline std::string mismatch(const wire::join& request, const run_description& run)
{
    if (request.run != run.name)
        return "this is the run " + quoted(run.name) + ", not " + quoted(request.run);
    if (!readable(request.name))
        return "the member's name must be UTF-8 without control characters";
    const bool alike =
        request.parameters == run.parameters && request.configuration == run.configuration;
    if (auto why = different_settings(run.settings, request.settings); !alike && !why.empty())
        return why + ": all members need the same";
    if (request.parameters != run.parameters)
        return "the run's model has " + std::to_string(run.parameters) + " parameters, yours " +
               std::to_string(request.parameters) + ": start with the same model";
    if (request.configuration != run.configuration)
        return "the run is configured differently: model, codec and options must be the same";
    return {};
}

/// Why there is no place for this member at present; empty: there is one.
inline std::string conflict(const wire::join& request, const member_map& members, int max_members)
{
    const auto present = std::ranges::count_if(members, [](const auto& entry) {
        return entry.second.role != wire::member_role::observer;
    });
    if (present >= max_members)
        return "the run is full: it has " + std::to_string(present) + " members";
    const bool same_name = std::ranges::any_of(members, [&](const auto& entry) {
        return !request.name.empty() && entry.second.name == request.name;
    });
    if (same_name) return "there is a member called " + quoted(request.name) + " already";
    const auto twin = std::ranges::find_if(members, [&](const auto& entry) {
        return request.identity != 0 && entry.second.identity == request.identity;
    });
    if (twin != members.end())
        return "member " + std::to_string(twin->first) + " (" + quoted(twin->second.name) +
               ") has the same identity: give each miner a --peer-seed of its own, or none";
    if (address_taken(members, request.at, no_member)) return taken_by_another(request.at);
    return {};
}

/// The refusal of a request to join; nothing: the member is admitted.
inline std::optional<wire::refused> refusal(const wire::join& request, const run_description& run,
                                            const member_map& members, int max_members)
{
    if (auto why = mismatch(request, run); !why.empty()) return wire::refused{std::move(why)};
    if (auto why = conflict(request, members, max_members); !why.empty())
        return wire::refused{std::move(why), wire::refusal_kind::temporary};
    return std::nullopt;
}

inline void check_range(const char* option, int value, int least, int most)
{
    if (value < least || value > most)
        throw std::system_error(errc::bad_argument, std::string(option) + " must be from " +
                                                        std::to_string(least) + " to " +
                                                        std::to_string(most) + ", not " +
                                                        std::to_string(value));
}

/// Deadlines must not leave the clock's range.
inline void check_duration(const char* option, duration value)
{
    constexpr duration longest = std::chrono::hours(24 * 365 * 30);
    if (value < duration{} || value > longest)
        throw bad_value(option, "from 0 s to 30 years", value);
}

inline void check_run(const run_description& run, const membership_options& o)
{
    if (run.name.empty())
        throw std::system_error(errc::bad_argument, "run_description::name must not be empty");
    constexpr int unlimited = std::numeric_limits<int>::max();
    check_range("membership_options::min_group", o.min_group, 1, unlimited);
    check_range("membership_options::max_group", o.max_group, o.min_group, unlimited);
    check_range("membership_options::max_members", o.max_members, 1, wire::max_members);
    check_range("membership_options::donors", o.donors, 1, unlimited);
    check_duration("membership_options::group_wait", o.group_wait);
    check_duration("membership_options::round_timeout", o.round_timeout);
    check_duration("membership_options::report_grace", o.report_grace);
    check_duration("membership_options::fetch_hold", o.fetch_hold);
    check_duration("membership_options::resume_wait", o.resume_wait);
    if (run.round > wire::max_rounds)
        throw bad_value("run_description::round", "at most 10^9", run.round);
    if (o.round_timeout <= duration{})
        throw std::system_error(errc::bad_argument,
                                "membership_options::round_timeout must be positive, not " +
                                    std::to_string(o.round_timeout.count()) + " ns");
}

}  // namespace papilio::detail
