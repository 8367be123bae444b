#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/text.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

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

/// Why a member with these settings can never take part; empty: it can.
inline std::string mismatch(const wire::join& request, const run_description& run)
{
    if (request.run != run.name)
        return "this is the run " + quoted(run.name) + ", not " + quoted(request.run);
    if (!readable(request.name))
        return "the member's name must be UTF-8 without control characters";
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
    if (address_taken(members, request.at, no_member)) return taken_by_another(request.at);
    return {};
}

/// The refusal of a request to join; nothing: the member is admitted.
inline std::optional<wire::refused> refusal(const wire::join& request, const run_description& run,
                                            const member_map& members, int max_members,
                                            std::uint32_t next_id)
{
    if (auto why = mismatch(request, run); !why.empty())
        return wire::refused{std::move(why), false};
    if (next_id > wire::max_members)
        return wire::refused{"the run has given away all its " + std::to_string(wire::max_members) +
                                 " ids; its host must start again",
                             false};
    if (auto why = conflict(request, members, max_members); !why.empty())
        return wire::refused{std::move(why), true};
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

inline void check_run(const run_description& run, const membership_options& o)
{
    if (run.name.empty())
        throw std::system_error(errc::bad_argument, "run_description::name must not be empty");
    constexpr int unlimited = std::numeric_limits<int>::max();
    check_range("membership_options::min_group", o.min_group, 1, unlimited);
    check_range("membership_options::max_group", o.max_group, o.min_group, unlimited);
    check_range("membership_options::max_members", o.max_members, 1, wire::max_members);
    check_range("membership_options::donors", o.donors, 1, unlimited);
    if (o.round_timeout <= duration{})
        throw std::system_error(errc::bad_argument,
                                "membership_options::round_timeout must be positive, not " +
                                    std::to_string(o.round_timeout.count()) + " ns");
}

}  // namespace papilio::detail
