// How a call survives the loss of peers, explored state by state.
//
//   survival_model --peers 3 --chunks 1 --views 1
//   survival_model --peers 3 --chunks 1 --views 1 --bug no-adoption
//   survival_model --peers 5 --chunks 3 --views 3 --walks 500 --seed 1
//
// A view of a call is a ballot of Paxos (L. Lamport, The Part-Time Parliament, 1998) about what is
// settled: of each chunk the version that counts, which is the view in which it was reduced. View 0
// is the call as it begins: all are members, all chunks are to be of version 0. Whoever gives a
// view up promises a later one, and says what it has voted for and which chunks it holds. The
// coordinator of the later view chooses members among those that have promised it, more than half
// of the group, and proposes what they settle on: what the latest of their votes was for, if there
// is one; else what they hold, the rest to be reduced anew. Members join, move chunks, and vote
// when they hold all of them; a view is decided when all its members have voted.
//
//   settings.hpp       peers, chunks, views, and the bugs that can be planted
//   state.hpp          what peers know and what has been said
//   rules.hpp          who has to do what, and what follows from what has been said
//   transitions.hpp    what can happen next; steps.hpp has the words for it
//   invariants.hpp     what must hold in every state
//   search.hpp         all states, breadth first: the trace to a wrong one is a shortest
//   walk.hpp           one random way
//   local_members.hpp  views whose members every peer finds out for itself, which is unsafe
//
// What the implementation does is followed in it by tests/collective/agreement/model_trace.hpp.
//
// The state keeps every message, and any peer may receive any of them at any later time or never.
// So it has all crashes, stops and returns, one-way losses, delays, repetitions and orders of
// arrival, for any number of peers. What is not in it: complaints and time, which only choose among
// the steps that are possible here; weights; clients and observers; the contents of chunks.
//
// Prints how many states there are, and the steps to the first one in which an invariant does not
// hold; exit status 1 then.

#include "model/local_members.hpp"
#include "model/protocol.hpp"
#include "model/search.hpp"
#include "model/walk.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace model = papilio::model;

struct arguments {
    model::settings of;
    bool local_members = false;
    std::size_t limit = std::size_t{1} << 31;
    std::size_t walks = 0;
    std::size_t seed = 1;
};

std::size_t number_of(std::string_view option, std::string_view text, std::size_t least,
                      std::size_t most)
{
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw std::invalid_argument(std::string(option) + " is a number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
    return value;
}

void plant(arguments& given, std::string_view name)
{
    given.local_members = name == "local-members";
    if (given.local_members) return;
    const auto found = std::ranges::find(model::bug_names, name);
    if (found == model::bug_names.end())
        throw std::invalid_argument("--bug is one of those in settings.hpp, or local-members");
    given.of.planted = static_cast<model::bug>(found - model::bug_names.begin());
}

arguments parse(int argc, char** argv)
{
    arguments given;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--whole-writes") {
            given.of.whole_writes = true;
            continue;
        }
        if (++i == argc)
            throw std::invalid_argument("there is no such option: " + std::string(option));
        const std::string_view value = argv[i];
        const auto number = [&](std::size_t least, std::size_t most) {
            return number_of(option, value, least, most);
        };
        if (option == "--peers")
            given.of.peers = static_cast<int>(number(2, model::max_peers));
        else if (option == "--chunks")
            given.of.chunks = static_cast<int>(number(1, model::max_chunks));
        else if (option == "--views")
            given.of.last_view = static_cast<int>(number(0, model::max_views - 1));
        else if (option == "--bug")
            plant(given, value);
        else if (option == "--limit")
            given.limit = number(1, std::size_t{1} << 31);
        else if (option == "--walks")
            given.walks = number(1, 1'000'000'000);
        else if (option == "--seed")
            given.seed = number(0, ~std::size_t{0});
        else
            throw std::invalid_argument("there is no such option: " + std::string(option));
    }
    return given;
}

template <class Model>
int explore(const Model& m, std::size_t limit)
{
    const auto found = model::search(m, limit);
    std::printf("%zu states%s\n", found.states,
                found.all                 ? ", all"
                : found.violation.empty() ? ", no more were looked for"
                                          : "");
    for (const auto& line : found.trace) std::printf("    %s\n", line.c_str());
    std::printf("%s\n", found.violation.empty() ? "no violation" : found.violation.c_str());
    return found.violation.empty() ? 0 : 1;
}

int take_walks(const arguments& given)
{
    std::size_t steps = 0, decided[model::max_views] = {};
    for (std::size_t i = 0; i < given.walks; ++i) {
        model::walk way(given.of, given.seed + i);
        while (way.next()) {
            ++steps;
            const auto wrong = model::violation(given.of, way.now());
            if (wrong.empty()) continue;
            std::printf("%s, in the walk of seed %zu\n", wrong.c_str(), given.seed + i);
            return 1;
        }
        for (std::size_t v = 0; v <= static_cast<std::size_t>(given.of.last_view); ++v)
            decided[v] += is_decided(given.of, way.now().views[v]) ? 1 : 0;
    }
    std::printf("%zu walks, %zu steps; decided, of views 0 to %d:", given.walks, steps,
                given.of.last_view);
    for (std::size_t v = 0; v <= static_cast<std::size_t>(given.of.last_view); ++v)
        std::printf(" %zu", decided[v]);
    std::printf("\nno violation\n");
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        const auto given = parse(argc, argv);
        if (given.local_members) return explore(model::local_members{given.of}, given.limit);
        if (given.walks > 0) return take_walks(given);
        return explore(model::protocol{given.of}, given.limit);
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "survival_model: %s\n", wrong.what());
        return 2;
    }
}
