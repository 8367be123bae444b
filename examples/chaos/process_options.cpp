#include "process_options.hpp"

#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <charconv>

namespace papilio::example::chaos {

std::string to_argument(const process_options& o)
{
    return nlohmann::json{{"number", o.number},     {"address", o.address},        {"seed", o.seed},
                          {"elements", o.elements}, {"folder", o.folder.string()}, {"log", o.log},
                          {"host", o.host}}
        .dump();
}

process_options from_argument(const std::string& text)
{
    process_options o;
    try {
        const auto given = nlohmann::json::parse(text);
        o.number = given.at("number").get<int>();
        o.address = given.at("address").get<std::string>();
        o.seed = given.at("seed").get<std::uint64_t>();
        o.elements = given.at("elements").get<std::size_t>();
        o.folder = given.at("folder").get<std::string>();
        o.log = given.at("log").get<std::string>();
        o.host = given.at("host").get<host_kind>();
    } catch (const nlohmann::json::exception&) {
        throw problem(errc::bad_argument, "papilio-chaos starts its members itself: try --help");
    }
    return o;
}

constexpr std::string_view member_network_prefix = "127.0.1.";

std::string member_host(int number)
{
    return std::string(member_network_prefix) + std::to_string(number);
}

int member_at(const std::string& host)
{
    if (!host.starts_with(member_network_prefix)) return 0;
    int number = 0;
    const char* const end = host.data() + host.size();
    const auto read = std::from_chars(host.data() + member_network_prefix.size(), end, number);
    return read.ec == std::errc{} && read.ptr == end && number > 0 ? number : 0;
}

}  // namespace papilio::example::chaos
