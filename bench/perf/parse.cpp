#include "perf/parse.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace papilio::perf {

void refuse(const std::string& why)
{
    std::fprintf(stderr, "papilio-perf: %s; see --help\n", why.c_str());
    std::exit(2);
}

void refuse_number(std::string_view name, std::string_view text, double least, double most)
{
    char bounds[80];
    if (std::isinf(most))
        std::snprintf(bounds, sizeof(bounds), "of at least %.10g", least);
    else
        std::snprintf(bounds, sizeof(bounds), "from %.10g to %.10g", least, most);
    refuse(std::string(name) + " takes a number " + bounds + ", not " + std::string(text));
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> all;
    for (;;) {
        const auto at = text.find(separator);
        all.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return all;
        text.remove_prefix(at + 1);
    }
}

std::size_t size(std::string_view name, std::string_view text)
{
    const auto whole = text;
    if (text.ends_with("iB"))
        text.remove_suffix(2);
    else if (text.ends_with('B'))
        text.remove_suffix(1);
    int shift = 0;
    if (text.ends_with('K')) shift = 10;
    if (text.ends_with('M')) shift = 20;
    if (text.ends_with('G')) shift = 30;
    if (shift != 0) text.remove_suffix(1);
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count == 0)
        refuse(std::string(name) + " takes a size like 4096, 64K or 16M, not " +
               std::string(whole));
    if (count > std::size_t{1} << (40 - shift)) refuse(std::string(name) + " is at most 1024G");
    return count << shift;
}

}  // namespace papilio::perf
