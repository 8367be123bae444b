#include <papilio/transport/detail/past_calls.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <vector>

namespace pa = papilio;
using pa::message_kind;
using pa::detail::past_calls;

namespace {

pa::tag past_tag(std::uint32_t call, message_kind kind = message_kind::view,
                 std::uint32_t attempt = 0, std::uint32_t view = 0)
{
    return pa::make_tag({.call = call, .kind = kind, .attempt = attempt, .view = view});
}

std::vector<std::byte> answer_of(std::size_t size)
{
    return std::vector<std::byte>(size);
}

}  // namespace

TEST_CASE(
    "of a call that is discarded everything is dropped, of one that has left an answer what "
    "concerns its later views")
{
    past_calls past;
    CHECK(past.discard(past_tag(1)));
    CHECK_FALSE(past.discard(past_tag(1, message_kind::vote)));
    past.leave_answer(past_tag(2), answer_of(20));
    for (const auto kind : {message_kind::contribution, message_kind::result, message_kind::vote}) {
        CHECK(past.drops(past_tag(1, kind)));
        CHECK_FALSE(past.drops(past_tag(2, kind)));
        CHECK(past.drops(past_tag(2, kind, 0, 1)));
        CHECK_FALSE(past.drops(past_tag(2, kind, 1, 1)));
    }
    for (const auto kind : {message_kind::view, message_kind::answer}) {
        CHECK(past.drops(past_tag(2, kind)));
        CHECK_FALSE(past.drops(past_tag(3, kind)));
    }
    CHECK_FALSE(past.discarded(past_tag(2)));
}

TEST_CASE("each peer that asks is due an answer once, and again over a new link")
{
    past_calls past;
    CHECK_FALSE(past.answer_for(1, past_tag(5)));
    past.leave_answer(past_tag(5), answer_of(20));
    for (const int peer : {1, 2}) {
        const auto* const answer = past.answer_for(peer, past_tag(5));
        REQUIRE(answer);
        CHECK(answer->size() == 20);
        CHECK(past.answer_for(peer, past_tag(5)));  // it could not be sent
        past.told(peer, past_tag(5));
        CHECK_FALSE(past.answer_for(peer, past_tag(5)));
    }
    past.reopen(1);
    CHECK(past.answer_for(1, past_tag(5)));
    CHECK_FALSE(past.answer_for(2, past_tag(5)));
}

TEST_CASE("only what voters tell of a call's views asks for an answer")
{
    past_calls past;
    past.leave_answer(past_tag(5), answer_of(20));
    for (const auto kind : {message_kind::contribution, message_kind::result, message_kind::vote,
                            message_kind::answer})
        CHECK_FALSE(past.answer_for(1, past_tag(5, kind, 0, 1)));
    CHECK_FALSE(past.answer_for(1, past_tag(6)));
    CHECK_FALSE(past.answer_for(1, past_tag(5, message_kind::view, 1)));
}

TEST_CASE("the last 1,024 answers are kept, and another one to the same call takes its place")
{
    past_calls past;
    for (std::uint32_t call = 1; call <= 1026; ++call) past.leave_answer(past_tag(call), {});
    CHECK_FALSE(past.answer_for(1, past_tag(2)));
    CHECK(past.answer_for(1, past_tag(3)));
    CHECK(past.answer_for(1, past_tag(1026)));
    past.leave_answer(past_tag(1026), answer_of(8));
    CHECK(past.answer_for(1, past_tag(1026))->size() == 8);
    CHECK(past.answer_for(1, past_tag(3)));
}

TEST_CASE("attempts eight or more away are forgotten, and what the same one has left before")
{
    for (const std::uint32_t begun : {0u, 8u, 12u, 15u}) {
        past_calls past;
        for (std::uint32_t attempt = 0; attempt < 16; ++attempt) {
            past.discard(past_tag(5, message_kind::view, attempt));
            past.leave_answer(past_tag(6, message_kind::view, attempt), {});
        }
        past.discard(past_tag(4));
        past.leave_answer(past_tag(7), {});
        past.begin(past_tag(5, message_kind::vote, begun));
        past.begin(past_tag(6, message_kind::vote, begun));
        for (std::uint32_t attempt = 0; attempt < 16; ++attempt) {
            const bool far = ((begun - attempt) & 15) >= 8;
            CHECK(past.discarded(past_tag(5, message_kind::view, attempt)) == !far);
            const auto* const answer = past.answer_for(1, past_tag(6, message_kind::view, attempt));
            CHECK(!answer == (far || attempt == begun));
        }
        CHECK(past.discarded(past_tag(4)));
        CHECK(past.answer_for(1, past_tag(7)));
    }
}

TEST_CASE("an answer left again after it was forgotten is kept as long as any other")
{
    past_calls past;
    past.leave_answer(past_tag(1), {});
    past.begin(past_tag(1));
    past.leave_answer(past_tag(2), {});
    past.leave_answer(past_tag(1), {});
    for (std::uint32_t call = 3; call <= 1025; ++call) past.leave_answer(past_tag(call), {});
    CHECK_FALSE(past.answer_for(1, past_tag(2)));
    CHECK(past.answer_for(1, past_tag(1)));
}

TEST_CASE("of the calls that a peer is through with the last 64 are remembered")
{
    past_calls past;
    for (std::uint32_t call = 1; call <= 64; ++call) {
        CHECK_FALSE(past.end(1, past_tag(call)));
        CHECK_FALSE(past.end(1, past_tag(call)));  // said on every stream
    }
    CHECK_FALSE(past.end(2, past_tag(70)));
    const auto oldest = past.end(1, past_tag(65));
    REQUIRE(oldest);
    CHECK(pa::call_of(*oldest) == pa::call_of(past_tag(1)));
    past.reopen(1);
    CHECK_FALSE(past.end(1, past_tag(66)));
}

TEST_CASE("of a call that is discarded here nothing is remembered of who is through with it")
{
    past_calls past;
    past.end(1, past_tag(1));
    past.discard(past_tag(1));
    past.end(1, past_tag(1));
    for (std::uint32_t call = 2; call <= 65; ++call) CHECK_FALSE(past.end(1, past_tag(call)));
    const auto oldest = past.end(1, past_tag(66));
    REQUIRE(oldest);
    CHECK(pa::call_of(*oldest) == pa::call_of(past_tag(2)));
}
