#include "endpoint.hpp"

#include <trainer/problem.hpp>

#include <charconv>
#include <string>

namespace papilio::example {

tcp::endpoint parse_endpoint(std::string_view text)
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

bool listens_anywhere(const std::string& host)
{
    return host == "0.0.0.0" || host == "::";
}

}  // namespace papilio::example
