#include <papilio/wire/proposal.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::call_extent of_proposals{.peers = 3, .parts = 2, .columns = 10};

pa::rank_set proposed(std::initializer_list<int> ranks)
{
    pa::rank_set all;
    for (const int rank : ranks) all.insert(rank);
    return all;
}

/// Of view 2, by peers 0 and 1, who complain of 2 and pass some of their chunks on.
wire::proposal made_proposal()
{
    wire::proposal p;
    p.view = 2;
    p.call = 0x0102030405060708;
    p.members = proposed({0, 1});
    p.complaints = {proposed({2}), proposed({2}), {}};
    p.weights = {1, 0.5, 2};
    p.versions = {{0, proposed({0, 1, 2})}, {2, proposed({0, 1})}};
    p.runs = {{{0, 3, 0, 1, proposed({0})}, {3, 7, 2, -1, proposed({0, 1})}}, {{0, 10, 0, -1, {}}}};
    return p;
}

template <class Change>
bool proposal_refused(Change change)
{
    auto p = made_proposal();
    change(p);
    return pa::test::thrown_by([&] { wire::parse_proposal(wire::encode(p), of_proposals); }) ==
           pa::errc::bad_message;
}

bool proposal_bytes_refused(const std::vector<std::byte>& message)
{
    return pa::test::thrown_by([&] { wire::parse_proposal(message, of_proposals); }) ==
           pa::errc::bad_message;
}

}  // namespace

TEST_CASE("a proposal is read as it was written")
{
    CHECK(wire::parse_proposal(wire::encode(made_proposal()), of_proposals) == made_proposal());
    auto adopting = made_proposal();
    adopting.adopted = 1;
    adopting.runs = {{}, {}};
    adopting.versions = {};
    CHECK(wire::parse_proposal(wire::encode(adopting), of_proposals) == adopting);
}

TEST_CASE("a proposal to hundreds of peers is read as it was written, and may be as large as told")
{
    const wire::call_extent of{.peers = 130, .parts = 2, .columns = 2};
    wire::proposal p;
    p.view = wire::max_view;
    p.members = pa::rank_set::of_all(130);
    p.complaints.resize(130);
    p.complaints[3] = proposed({0, 64, 129});
    p.weights.assign(130, 1.0);
    for (int v = 0; v <= wire::max_view; ++v)
        p.versions.push_back({static_cast<std::uint8_t>(v), proposed({1, 128})});
    const std::vector<wire::proposed_run> both{{0, 1, 30, 129, proposed({0, 128})},
                                               {1, 1, 31, -1, p.members}};
    p.runs = {both, both};
    CHECK(wire::encode(p).size() == wire::largest_proposal(of));
    CHECK(wire::parse_proposal(wire::encode(p), of) == p);
}

TEST_CASE("a proposal has the bytes that its format says")
{
    const auto m = wire::encode(made_proposal());
    REQUIRE(m.size() == 16 + 8 + 3 * 8 + 3 * 8 + 8 + 2 * 16 + 2 * 4 + 3 * 24);
    CHECK(pa::load<std::uint32_t>(m.data()) == wire::proposal_magic);
    CHECK(pa::load<std::uint8_t>(&m[4]) == 2);
    CHECK(pa::load<std::uint8_t>(&m[5]) == 255);
    CHECK(pa::load<std::uint64_t>(&m[8]) == 0x0102030405060708);
    CHECK(pa::load<std::uint64_t>(&m[16]) == 3);   // members
    CHECK(pa::load<std::uint64_t>(&m[24]) == 4);   // complaints of peer 0
    CHECK(pa::load<double>(&m[56]) == 0.5);        // weight of peer 1
    CHECK(pa::load<std::uint64_t>(&m[72]) == 2);   // versions
    CHECK(pa::load<std::uint64_t>(&m[96]) == 2);   // the second of them
    CHECK(pa::load<std::uint64_t>(&m[104]) == 3);  // and who contributes to it
    CHECK(pa::load<std::uint32_t>(&m[112]) == 2);  // runs of part 0
    CHECK(pa::load<std::uint32_t>(&m[140]) == 3);  // where the second begins
    CHECK(pa::load<std::uint16_t>(&m[126]) == 1);  // source of the first
    CHECK(pa::load<std::uint64_t>(&m[132]) == 1);  // who lacks it
    CHECK(pa::load<std::uint16_t>(&m[150]) == 0xffff);
}

TEST_CASE("the views of a proposal come in order")
{
    CHECK(proposal_refused([](auto& p) { p.view = 0; }));
    CHECK(proposal_refused([](auto& p) { p.view = 32; }));
    CHECK(proposal_refused([](auto& p) { p.adopted = 2; }));
    CHECK(!proposal_refused([](auto& p) { p.adopted = 1; }));
}

TEST_CASE("a proposal names ranks of the group alone, has members, and nobody accuses itself")
{
    CHECK(proposal_refused([](auto& p) { p.members.insert(3); }));
    CHECK(proposal_refused([](auto& p) { p.complaints[0].insert(3); }));
    CHECK(proposal_refused([](auto& p) { p.complaints[2].insert(2); }));
    CHECK(proposal_refused([](auto& p) { p.versions[0].contributors.insert(3); }));
    CHECK(proposal_refused([](auto& p) { p.weights[0] = -2; }));
    CHECK(proposal_refused([](auto& p) {
        p.members = {};
        p.runs = {{}, {}};
    }));
}

TEST_CASE("the versions of a proposal ascend, to its view at most, and are all that runs have")
{
    CHECK(proposal_refused([](auto& p) { std::swap(p.versions[0], p.versions[1]); }));
    CHECK(proposal_refused([](auto& p) { p.versions[1].version = 0; }));
    CHECK(proposal_refused([](auto& p) { p.versions[1].version = 3; }));
    CHECK(proposal_refused([](auto& p) {
        p.versions.push_back(p.versions.back());
        p.runs[0].pop_back();
    }));
    CHECK(proposal_refused([](auto& p) { p.versions.pop_back(); }));
    CHECK(proposal_refused([](auto& p) { p.versions.resize(4); }));
    CHECK(proposal_refused([](auto& p) { p.runs[1][0].version = 1; }));
    CHECK(proposal_refused([](auto& p) { p.runs[1][0].version = 3; }));
}

TEST_CASE("the runs of a proposal are in order, apart and within their part")
{
    CHECK(proposal_refused([](auto& p) { std::swap(p.runs[0][0], p.runs[0][1]); }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].columns = 4; }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][1].columns = 8; }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][1].columns = 0; }));
    CHECK(!proposal_refused([](auto& p) { p.runs[0][1].columns = 6; }));
}

TEST_CASE("members pass chunks on to members, and what is kept and lacked has a source")
{
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].source = 2; }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].source = 3; }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].lacking.insert(2); }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].source = -1; }));
    CHECK(proposal_refused([](auto& p) { p.runs[1][0].lacking.insert(1); }));
    CHECK(proposal_refused([](auto& p) { p.runs[0][0].lacking.insert(1); }));  // its source
    CHECK(proposal_refused([](auto& p) { p.runs[0][1].source = 0; }));  // made anew, and passed on
    CHECK(proposal_refused([](auto& p) {
        p.runs[0][1].source = 0;
        p.runs[0][1].lacking.erase(0);
    }));
}

TEST_CASE("a proposal that is cut, longer or of other bytes where none may be is refused")
{
    const auto good = wire::encode(made_proposal());
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(proposal_bytes_refused({good.begin(), good.begin() + static_cast<int>(size)}));
    auto longer = good;
    longer.resize(good.size() + 1);
    CHECK(proposal_bytes_refused(longer));
    for (const std::size_t at : {0u, 6u, 7u, 73u, 79u, 81u, 125u, 128u, 131u}) {
        auto other = good;
        other[at] ^= std::byte{0x80};
        CHECK(proposal_bytes_refused(other));
    }
}
