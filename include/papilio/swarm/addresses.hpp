#pragma once

#include <papilio/base/config.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <string>
#include <string_view>
#include <utility>

// What members are told about the addresses of others.
namespace papilio::inline PAPILIO_MODE::detail {

/// Whether `host` means the host on which it is used.
inline bool is_loopback(std::string_view host)
{
    constexpr std::string_view mapped = "::ffff:";
    if (host.starts_with(mapped)) host.remove_prefix(mapped.size());
    return host.starts_with("127.") || host == "::1" || host == "localhost";
}

/// Whether a channel whose other side is `remote` comes from this host. A pipe's is "here".
inline bool is_nearby(std::string_view remote)
{
    return is_loopback(remote) || remote == "here";
}

/// The address of `m` as a member on another host (`viewer_nearby` false) or on that of the
/// rendezvous may dial it. A loopback address never leaves its host: where it listens at other
/// addresses, too, the member can be dialled at `advertised`, or, if that is empty, where the
/// viewer has reached the rendezvous, which is on the same host.
inline wire::endpoint seen_by(bool viewer_nearby, const member& m, const std::string& advertised)
{
    if (viewer_nearby || !is_loopback(m.at.host)) return m.at;
    if (m.loopback_only) return {};
    return {advertised, m.at.port};
}

}  // namespace papilio::detail
