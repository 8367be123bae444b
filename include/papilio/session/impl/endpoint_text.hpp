#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/session/problem.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL tcp::endpoint parse_endpoint(std::string_view text)
{
    const auto refuse = [&] {
        throw problem(errc::bad_argument, "'" + std::string(text) +
                                              "' is no address: write host:port, as 10.0.0.1:5400, "
                                              "or [::1]:5400");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) refuse();
    tcp::endpoint at;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
        refuse();
    at.host = host.empty() ? "::" : std::string(host);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), at.port);
    if (error != std::errc{} || end != digits.data() + digits.size()) refuse();
    return at;
}

PAPILIO_DECL tcp::endpoint parse_reachable(std::string_view text)
{
    const bool bracketed = text.starts_with('[') && text.ends_with(']');
    const bool alone = !text.empty() && text.find(':') == std::string_view::npos;
    if (bracketed || alone) return parse_endpoint(std::string(text) + ":0");
    if (text.empty() || text.starts_with(':'))
        throw problem(errc::bad_argument, "'" + std::string(text) + "' names no host");
    return parse_endpoint(text);
}

}  // namespace papilio
