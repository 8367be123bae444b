#include "child_report.hpp"

#include <member/jsonl_log.hpp>
#include <trainer/problem.hpp>

#include <nlohmann/json.hpp>

#include <cstring>
#include <utility>

namespace papilio::example::chaos {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t max_line = std::size_t{1} << 20;
constexpr std::size_t max_elements = std::size_t{1} << 26;

ordered_json to_json(const hosting& h)
{
    return {{"event", "hosting"}, {"address", h.address}};
}

ordered_json to_json(const attempt_ended& a)
{
    ordered_json ranges = ordered_json::array();
    for (const auto& r : a.made_of)
        ranges.push_back({{"begin", r.begin}, {"size", r.size}, {"members", r.members}});
    return {{"event", "attempt"},
            {"round", a.round},
            {"group", a.group},
            {"ok", a.ok},
            {"why", a.why},
            {"seconds", a.seconds},
            {"members", a.members},
            {"without", a.without},
            {"made_of", std::move(ranges)},
            {"elements", a.mean.size()}};
}

ordered_json to_json(const state_taken& s)
{
    return {{"event", "state"}, {"round", s.round}, {"digest", s.digest}, {"fetched", s.fetched}};
}

ordered_json to_json(const round_settled& s)
{
    return {{"event", "settled"}, {"round", s.round}, {"digest", s.digest}};
}

ordered_json to_json(const doing& d)
{
    return {{"event", "doing"}, {"text", d.text}};
}

attempt_ended attempt_from(const json& line)
{
    attempt_ended a;
    a.round = line.at("round").get<std::uint32_t>();
    a.group = line.at("group").get<std::string>();
    a.ok = line.at("ok").get<bool>();
    a.why = line.at("why").get<std::string>();
    a.seconds = line.at("seconds").get<double>();
    a.members = line.at("members").get<std::vector<int>>();
    a.without = line.at("without").get<std::vector<int>>();
    for (const auto& r : line.at("made_of"))
        a.made_of.push_back({r.at("begin").get<std::size_t>(), r.at("size").get<std::size_t>(),
                             r.at("members").get<std::vector<int>>()});
    return a;
}

child_report report_from(const json& line)
{
    const auto event = line.at("event").get<std::string>();
    const auto text = [&](const char* name) { return line.at(name).get<std::string>(); };
    const auto round = [&] { return line.at("round").get<std::uint32_t>(); };
    if (event == "hosting") return hosting{text("address")};
    if (event == "attempt") return attempt_from(line);
    if (event == "state")
        return state_taken{round(), text("digest"), line.at("fetched").get<bool>()};
    if (event == "settled") return round_settled{round(), text("digest")};
    return doing{text("text")};
}

[[noreturn]] void refuse()
{
    throw problem(errc::bad_message, "a process of the run writes what it should not");
}

}  // namespace

std::string encode(const child_report& r)
{
    std::string text = as_text(std::visit([](const auto& x) { return to_json(x); }, r)) + '\n';
    if (const auto* a = std::get_if<attempt_ended>(&r)) {
        const auto mean = std::as_bytes(std::span(a->mean));
        text.append(reinterpret_cast<const char*>(mean.data()), mean.size());
    }
    return text;
}

std::optional<child_report> report_reader::next()
{
    const auto end = waiting_.find('\n', begin_);
    if (end == std::string::npos) {
        if (waiting_.size() - begin_ > max_line) refuse();
        return {};
    }
    const auto line =
        json::parse(waiting_.begin() + static_cast<std::ptrdiff_t>(begin_),
                    waiting_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    try {
        const auto elements = line.value("elements", std::size_t{0});
        if (elements > max_elements) refuse();
        const std::size_t size = elements * sizeof(float);
        if (waiting_.size() - (end + 1) < size) return {};
        child_report r = report_from(line);
        if (auto* a = std::get_if<attempt_ended>(&r)) {
            a->mean.resize(elements);
            if (size > 0) std::memcpy(a->mean.data(), waiting_.data() + end + 1, size);
        }
        begin_ = end + 1 + size;
        if (begin_ > waiting_.size() / 2) {
            waiting_.erase(0, begin_);
            begin_ = 0;
        }
        return r;
    } catch (const json::exception&) {
        refuse();
    }
}

}  // namespace papilio::example::chaos
