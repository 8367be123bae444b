#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/text.hpp>
#include <papilio/sim/faults.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::sim {

namespace detail {

inline constexpr std::int64_t ns_per_ms = 1'000'000;

/// In ms, exactly.
inline std::string text_of(duration d)
{
    std::string fraction = std::to_string(ns_per_ms + d.count() % ns_per_ms).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    std::string whole = std::to_string(d.count() / ns_per_ms);
    return whole + (fraction.empty() ? "" : ".") + fraction + "ms";
}

inline std::string text_of(const fault& f)
{
    std::string text = text_of(f.at);
    text.append(" ").append(entry_of(f.what).name);
    for (std::size_t i = 0; i < f.peers.size(); ++i)
        text.append(i == 0 ? " " : ",").append(std::to_string(f.peers[i]));
    if (entry_of(f.what).by) text.append(" by ").append(text_of(f.by));
    if (f.lasts != duration{}) text.append(" for ").append(text_of(f.lasts));
    return text;
}

/// Reads words of one fault.
class fault_parser {
public:
    fault_parser(std::string_view text, int peers) : whole_(text), rest_(text), peers_(peers) {}

    fault read()
    {
        fault f;
        f.at = time();
        f.what = name();
        f.peers = ranks(entry_of(f.what).peers);
        std::string_view next = word();
        if (entry_of(f.what).by) {
            if (next != "by") fail("'by' and a time", next);
            f.by = time();
            next = word();
        }
        if (next == "for") {
            f.lasts = time();
            next = word();
        }
        if (!next.empty()) fail("no more", next);
        return f;
    }

private:
    [[noreturn]] void fail(std::string_view wanted, std::string_view found) const
    {
        std::string what = "the fault '" + printable(std::string(whole_)) + "' has ";
        what += found.empty() ? "nothing" : "'" + printable(std::string(found)) + "'";
        throw std::system_error(errc::bad_argument, what.append(" where it wants ").append(wanted));
    }

    std::string_view word()
    {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
        const auto found = rest_.substr(0, rest_.find(' '));
        rest_.remove_prefix(found.size());
        return found;
    }

    duration time()
    {
        const auto text = word();
        const auto unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
        const auto unit = text.substr(unit_at);
        constexpr std::array<std::pair<std::string_view, double>, 4> units{
            {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};
        const auto known = std::ranges::find(units, unit, [](const auto& u) { return u.first; });
        double value = 0;
        const auto [end, why] = std::from_chars(text.data(), text.data() + unit_at, value);
        if (known == units.end() || why != std::errc{} || end != text.data() + unit_at ||
            value * known->second > 1e15)
            fail("a time such as 1.5ms", text);
        return duration(static_cast<std::int64_t>(value * known->second + 0.5));
    }

    verb name()
    {
        const auto text = word();
        const auto* const found = std::ranges::find(verb_table, text, &verb_entry::name);
        if (found != std::end(verb_table)) return found->what;
        std::string names;
        for (const auto& v : verb_table) names.append(names.empty() ? "" : ", ").append(v.name);
        fail("one of " + names, text);
    }

    std::vector<int> ranks(int wanted)
    {
        const auto text = word();
        std::vector<int> all;
        const char* at = text.data();
        const char* const last = text.data() + text.size();
        for (bool more = true; more; ++at) {
            int rank = -1;
            const auto [end, why] = std::from_chars(at, last, rank);
            if (why != std::errc{} || rank < 0 || rank >= peers_)
                fail("ranks below " + std::to_string(peers_), text);
            all.push_back(rank);
            at = end;
            more = at != last && *at == ',';
            if (!more && at != last) fail("ranks such as 0,2", text);
        }
        auto sorted = all;
        std::ranges::sort(sorted);
        if (std::ranges::adjacent_find(sorted) != sorted.end()) fail("each rank once", text);
        if (wanted != 0 && static_cast<int>(all.size()) != wanted)
            fail(wanted == 1 ? "one rank" : "two ranks", text);
        return all;
    }

    std::string_view whole_, rest_;
    int peers_;
};

}  // namespace detail

PAPILIO_DECL std::string to_string(const schedule& all)
{
    std::string text;
    for (const auto& f : all) text.append(text.empty() ? "" : "; ").append(detail::text_of(f));
    return text;
}

PAPILIO_DECL schedule parse_schedule(std::string_view text, int peers)
{
    schedule all;
    while (text.find_first_not_of(" ;") != std::string_view::npos) {
        text.remove_prefix(text.find_first_not_of(" ;"));
        const auto one = text.substr(0, text.find(';'));
        all.push_back(
            detail::fault_parser(one.substr(0, one.find_last_not_of(' ') + 1), peers).read());
        text.remove_prefix(one.size());
    }
    return all;
}

}  // namespace papilio::sim
