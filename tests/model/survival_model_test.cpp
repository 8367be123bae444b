// The protocol of views keeps its invariants in all states of small groups, and notices each bug
// that survival_model.cpp names. PAPILIO_SEEDS=1000 or more explores a larger group, too.

#include "model/local_members.hpp"
#include "model/packed_states.hpp"
#include "model/protocol.hpp"
#include "model/search.hpp"
#include "model/walk.hpp"

#include "support/seeds.hpp"

#include <catch2/catch.hpp>

#include <tuple>
#include <vector>

namespace model = papilio::model;
using model::bug;

namespace {

/// The violation that a search finds.
std::string found_with(bug planted, int peers, int views)
{
    const model::protocol wrong{{.peers = peers, .last_view = views, .planted = planted}};
    const auto found = model::search(wrong);
    CHECK(!found.trace.empty());
    return found.violation;
}

}  // namespace

TEST_CASE("the protocol of views keeps its invariants in all states of small groups", "[model]")
{
    for (const auto& [peers, chunks, views] : {std::tuple{2, 2, 1}, {2, 1, 2}, {3, 1, 1}}) {
        const auto found =
            model::search(model::protocol{{.peers = peers, .chunks = chunks, .last_view = views}});
        CHECK(found.violation == "");
        CHECK(found.all);
    }
}

TEST_CASE("with seeds by the thousand, also of three peers with two chunks and two changes of view",
          "[model]")
{
    if (papilio::test::seeds(1).last < 1000) return;
    const auto found = model::search(model::protocol{{.peers = 3, .chunks = 2, .last_view = 2}});
    CHECK(found.violation == "");
    CHECK(found.all);
    CHECK(found.states == 20'044'452);
}

// An independent program for the same protocol has found as many.
TEST_CASE("there are as many states as there are known to be", "[model]")
{
    for (const auto& [peers, chunks, views, states] :
         {std::tuple{2, 2, 2, 19'537}, {2, 1, 3, 50'119}, {4, 1, 1, 37'935}}) {
        const auto found =
            model::search(model::protocol{{.peers = peers,
                                           .chunks = chunks,
                                           .last_view = views,
                                           .whole_writes = true,
                                           .keeps = model::keeping::latest_or_none}});
        CHECK(found.states == static_cast<std::size_t>(states));
        CHECK(found.violation == "");
    }
}

TEST_CASE("without adoption of votes, a later view contradicts a decided one", "[model]")
{
    CHECK(found_with(bug::no_adoption, 2, 1) ==
          "view 0 is decided, and view 1 is proposed otherwise");
}

TEST_CASE("with half of a group as a quorum, two halves decide by themselves", "[model]")
{
    CHECK(found_with(bug::half_quorum, 2, 2) ==
          "view 1 is decided, and view 2 is proposed otherwise");
}

TEST_CASE("with success by most votes, a member may fail while others succeed", "[model]")
{
    CHECK(found_with(bug::majority_success, 3, 1) ==
          "peer 2 may fail for certain, and is a member of view 0, which is decided");
}

TEST_CASE("with votes below a promise, a later view contradicts a decided one", "[model]")
{
    CHECK(found_with(bug::late_vote, 2, 1) ==
          "view 0 is decided, and view 1 is proposed otherwise");
}

TEST_CASE("without voiding, a vote is to be adopted whose chunks nobody holds", "[model]")
{
    CHECK(found_with(bug::no_voiding, 3, 2) ==
          "blocked: {0,2} have to adopt view 0, whose chunks they do not hold");
}

TEST_CASE("members that every peer finds out for itself are two sets, which both succeed",
          "[model]")
{
    const auto found = model::search(model::local_members{{.peers = 3, .last_view = 1}});
    CHECK(found.violation ==
          "peers 0 and 1 succeed with different chunks, as members of {0,2} and {1,2}");
    CHECK(found.trace.size() == 15);
}

TEST_CASE("random walks of five peers keep the invariants, and decide views of any number",
          "[model]")
{
    const model::settings of{.peers = 5, .chunks = 3, .last_view = 3};
    std::array<int, 4> decided{};
    const auto range = papilio::test::seeds(40, 500);
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(papilio::test::again(seed, "random walks*"));
        model::walk way(of, static_cast<std::uint64_t>(seed));
        while (way.next()) REQUIRE(model::violation(of, way.now()) == "");
        for (std::size_t v = 0; v < decided.size(); ++v)
            decided[v] += is_decided(of, way.now().views[v]) ? 1 : 0;
    }
    if (range.last - range.first < 39) return;
    for (const int times : decided) CHECK(times > 0);
}

TEST_CASE("a walk is the same for the same seed, and each step leads to the state behind it",
          "[model]")
{
    const model::settings of{
        .peers = 4, .chunks = 2, .last_view = 2, .keeps = model::keeping::latest};
    const model::protocol known{of};
    model::walk way(of, 3), again(of, 3);
    auto before = way.now();
    while (const auto done = way.next()) {
        const auto same = again.next();
        REQUIRE(same.has_value());
        CHECK(known.text(*same, again.now()) == known.text(*done, way.now()));
        bool possible = false;
        known.for_each_step(before, [&](const model::step& s, const model::state& next) {
            possible = possible || (s == *done && next == way.now());
        });
        CHECK(possible);
        before = way.now();
    }
    CHECK(again.now() == way.now());
}

TEST_CASE("a state comes back as it was packed", "[model]")
{
    const model::protocol known{{.peers = 5, .chunks = 3, .last_view = 3}};
    model::packed_states packed(known);
    std::vector<model::state> all{known.initial()};
    CHECK(packed.insert(all[0]));
    model::walk way(known.of, 1);
    while (way.next()) {
        all.push_back(way.now());
        CHECK(packed.insert(way.now()));
        CHECK(!packed.insert(way.now()));
    }
    REQUIRE(packed.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(packed[i] == all[i]);
}
