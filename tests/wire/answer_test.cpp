#include <papilio/wire/answer.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::call_extent of_answers{.peers = 3, .parts = 1, .columns = 4};

const wire::answer done_in_0{
    .what = wire::ending::done, .settlement = 77, .weights = {2, wire::unknown_weight, 0}};
const wire::answer withdrawn_by_2{
    .what = wire::ending::withdrawn, .why = pa::errc::silent, .culprit = 2};

wire::answer done_in_3()
{
    wire::proposal p;
    p.view = 3;
    p.members = pa::rank_set::of_all(2);
    p.complaints.resize(3);
    p.weights = {1, 1, 1};
    p.versions = {{3, p.members}};
    p.runs = {{{0, 4, 3, -1, p.members}}};
    wire::answer a{.what = wire::ending::done, .view = 3, .settlement = 78, .result = 79};
    a.decided = p;
    return a;
}

bool answer_refused(const wire::answer& a)
{
    return pa::test::thrown_by([&] { wire::parse_answer(wire::encode(a), of_answers); }) ==
           pa::errc::bad_message;
}

template <class Change>
bool answer_refused(wire::answer a, Change change)
{
    change(a);
    return answer_refused(a);
}

bool answer_bytes_refused(const std::vector<std::byte>& message)
{
    return pa::test::thrown_by([&] { wire::parse_answer(message, of_answers); }) ==
           pa::errc::bad_message;
}

}  // namespace

TEST_CASE("an answer is read as it was written")
{
    for (const auto& a : {done_in_0, withdrawn_by_2, done_in_3()})
        CHECK(wire::parse_answer(wire::encode(a), of_answers) == a);
    CHECK(wire::encode(done_in_3()).size() <= wire::largest_answer(of_answers));
}

TEST_CASE("an answer has the bytes that its format says")
{
    const auto withdrawn = wire::encode(withdrawn_by_2);
    REQUIRE(withdrawn.size() == 28);
    CHECK(pa::load<std::uint32_t>(withdrawn.data()) == wire::answer_magic);
    CHECK(pa::load<std::uint8_t>(&withdrawn[4]) == 2);
    CHECK(pa::load<std::uint8_t>(&withdrawn[6]) == static_cast<std::uint8_t>(pa::errc::silent));
    CHECK(pa::load<std::int32_t>(&withdrawn[8]) == 2);
    const auto done = wire::encode(done_in_3());
    CHECK(pa::load<std::uint8_t>(&done[4]) == 1);
    CHECK(pa::load<std::uint8_t>(&done[5]) == 3);
    CHECK(pa::load<std::uint64_t>(&done[12]) == 78);
    CHECK(pa::load<std::uint64_t>(&done[20]) == 79);
    CHECK(pa::load<std::uint32_t>(&done[28]) == wire::proposal_magic);
}

TEST_CASE("who has succeeded gives no reason, who has failed one, without a settlement or a result")
{
    CHECK(answer_refused(done_in_0, [](auto& a) { a.why = pa::errc::silent; }));
    CHECK(answer_refused(done_in_0, [](auto& a) { a.culprit = 0; }));
    CHECK(answer_refused(done_in_0, [](auto& a) { a.weights[1] = -2; }));
    CHECK(answer_refused(done_in_0, [](auto& a) { a.weights.pop_back(); }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.weights = {1, 1, 1}; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.why = {}; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.why = pa::errc{200}; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.culprit = 3; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.culprit = -2; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.settlement = 1; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.result = 1; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.view = 1; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.what = wire::ending{0}; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.what = wire::ending{3}; }));
    CHECK(!answer_refused(withdrawn_by_2, [](auto& a) { a.culprit = -1; }));
}

TEST_CASE("behind the decision for a view above 0 stands the proposal of that view, else nothing")
{
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.decided.reset(); }));
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.view = 0; }));
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.view = 2; }));
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.view = 4; }));
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.view = 32; }));
    CHECK(answer_refused(done_in_3(), [](auto& a) { a.decided->members = {}; }));
    CHECK(answer_refused(withdrawn_by_2, [](auto& a) { a.decided = done_in_3().decided; }));
}

TEST_CASE("an answer that is cut, longer or of other bytes where none may be is refused")
{
    for (const auto& a : {done_in_0, withdrawn_by_2, done_in_3()}) {
        const auto good = wire::encode(a);
        for (std::size_t size = 0; size < good.size(); ++size)
            CHECK(answer_bytes_refused({good.begin(), good.begin() + static_cast<int>(size)}));
        auto longer = good;
        longer.resize(good.size() + 1);
        CHECK(answer_bytes_refused(longer));
        for (const std::size_t at : {0u, 7u}) {
            auto other = good;
            other[at] ^= std::byte{0x80};
            CHECK(answer_bytes_refused(other));
        }
    }
}
