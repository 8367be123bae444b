#include <papilio/wire/view_message.hpp>

#include <papilio/wire/answer.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::call_extent of_view_messages{.peers = 3, .parts = 1, .columns = 4};

wire::promise any_promise()
{
    wire::promise p;
    p.weights = {1, 1, 1};
    p.held.resize(1);
    return p;
}

wire::proposal any_proposal()
{
    wire::proposal p;
    p.members = {0, 1};
    p.complaints.resize(3);
    p.weights = {1, 1, 1};
    p.runs.resize(1);
    return p;
}

}  // namespace

TEST_CASE("the first field of a message about a call's views says which one it is")
{
    CHECK(wire::view_message_of(wire::encode(any_promise())) == wire::view_message::promise);
    CHECK(wire::view_message_of(wire::encode(any_proposal())) == wire::view_message::proposal);
    CHECK(wire::view_message_of(wire::encode(wire::view_vote{})) == wire::view_message::vote);
}

TEST_CASE("what is no promise, proposal or vote of a later view is refused, with what was found")
{
    const auto answer = wire::encode(wire::answer{.why = pa::errc::silent});
    const auto refused = [&](pa::bytes message) {
        return pa::test::thrown_by([&] { wire::view_message_of(message); }) ==
               pa::errc::bad_message;
    };
    CHECK(refused(answer));
    CHECK(refused(pa::bytes(answer).first(3)));
    CHECK(refused({}));
    try {
        wire::view_message_of(answer);
    } catch (const std::system_error& e) {
        CHECK(std::string(e.what()).find(std::to_string(wire::answer_magic)) != std::string::npos);
    }
}

TEST_CASE("no message about a call's views is larger than the largest")
{
    for (const auto& of : {of_view_messages, wire::call_extent{.peers = 1, .parts = 0},
                           wire::call_extent{.peers = 200, .parts = 200, .columns = 1}}) {
        const auto most = wire::largest_view_message(of);
        CHECK(most >= wire::largest_promise(of));
        CHECK(most >= wire::largest_proposal(of));
        CHECK(most >= wire::view_vote::encoded_size);
    }
    CHECK(wire::encode(any_proposal()).size() <= wire::largest_view_message(of_view_messages));
}
