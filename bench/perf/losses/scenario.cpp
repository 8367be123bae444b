#include "perf/losses/scenario.hpp"

#include "perf/parse.hpp"

#include <algorithm>
#include <utility>

namespace papilio::perf {

namespace {

constexpr std::pair<std::string_view, loss_kind> loss_names[] = {{"kill", loss_kind::kill},
                                                                 {"stop", loss_kind::stop},
                                                                 {"cut", loss_kind::cut},
                                                                 {"down", loss_kind::down},
                                                                 {"slow", loss_kind::slow}};

/// `last` is the rank if the text names none.
loss read_loss(std::string_view text, int peers, int last)
{
    const auto at = text.find('@');
    const auto who = std::min(text.find_first_of("0123456789"), at);
    const auto found = std::ranges::find(loss_names, text.substr(0, who),
                                         &std::pair<std::string_view, loss_kind>::first);
    if (found == std::end(loss_names) || at == std::string_view::npos)
        refuse("--lose takes losses like kill@50, stop1@50, cut@50, down@50 and slow@50, not '" +
               std::string(text) + "'");
    loss one{found->second, last, number("--lose", text.substr(at + 1), 0.0, 100.0)};
    if (who != at) one.rank = number("--lose", text.substr(who, at - who), 0, peers - 1);
    return one;
}

}  // namespace

bool scenario::loses(int rank) const
{
    return std::ranges::find(losses, rank, &loss::rank) != losses.end();
}

bool scenario::slows() const
{
    return std::ranges::find(losses, loss_kind::slow, &loss::how) != losses.end();
}

std::vector<int> scenario::left(int peers) const
{
    std::vector<int> all;
    for (int rank = 0; rank < peers; ++rank)
        if (!loses(rank)) all.push_back(rank);
    return all;
}

std::vector<scenario> read_scenarios(std::string_view text, int peers)
{
    std::vector<scenario> all;
    for (const auto one : split(text)) {
        scenario s;
        s.text = one;
        for (const auto each : split(one, '+'))
            s.losses.push_back(
                read_loss(each, peers, peers - 1 - static_cast<int>(s.losses.size())));
        std::ranges::stable_sort(s.losses, {}, &loss::percent);
        const auto left = s.left(peers).size();
        if (left + s.losses.size() != static_cast<std::size_t>(peers))
            refuse("--lose loses a peer once, not twice: " + s.text);
        if (2 * left <= static_cast<std::size_t>(peers))
            refuse("a call goes on while more than half of the " + std::to_string(peers) +
                   " peers are left: --lose " + s.text + " leaves " + std::to_string(left));
        all.push_back(std::move(s));
    }
    return all;
}

}  // namespace papilio::perf
