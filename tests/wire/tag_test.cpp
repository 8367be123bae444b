#include <papilio/wire/tag.hpp>

#include <papilio/wire/frame.hpp>

#include <catch2/catch.hpp>

#include <set>

namespace pa = papilio;

namespace {

constexpr pa::message_kind all_kinds[] = {
    pa::message_kind::user,   pa::message_kind::contribution, pa::message_kind::result,
    pa::message_kind::vote,   pa::message_kind::control,      pa::message_kind::view,
    pa::message_kind::answer,
};

}  // namespace

TEST_CASE("a tag gives back the fields it was made of")
{
    for (const auto kind : all_kinds)
        for (const std::uint32_t epoch : {0u, 1u, pa::max_epoch})
            for (const std::uint32_t call : {0u, 1u, pa::max_tag_call})
                for (const std::uint32_t index : {0u, 1u, pa::max_call_index}) {
                    const pa::tag_fields fields{epoch, call, kind, index};
                    CHECK(pa::fields_of(pa::make_tag(fields)) == fields);
                }
}

TEST_CASE("a call's tag names its attempt and view, and leaves a shorter index for it")
{
    for (const auto kind :
         {pa::message_kind::contribution, pa::message_kind::result, pa::message_kind::vote,
          pa::message_kind::view, pa::message_kind::answer})
        for (const std::uint32_t attempt : {0u, 1u, pa::max_tag_attempt})
            for (const std::uint32_t view : {0u, 1u, pa::max_tag_view}) {
                const pa::tag_fields fields{1, 2, kind, pa::max_call_index, attempt, view};
                CHECK(pa::fields_of(pa::make_tag(fields)) == fields);
            }
    const pa::tag_fields further{.call = 2, .kind = pa::message_kind::vote, .attempt = 17};
    CHECK(pa::fields_of(pa::make_tag(further)).attempt == 1);
}

TEST_CASE("outside of calls a tag has no attempt, and an index of 24 bits")
{
    for (const auto kind : {pa::message_kind::control, pa::message_kind::user}) {
        const pa::tag_fields fields{1, 2, kind, pa::max_tag_index, 3};
        const auto found = pa::fields_of(pa::make_tag(fields));
        CHECK(found.index == pa::max_tag_index);
        CHECK(found.attempt == 0);
    }
}

TEST_CASE("epochs and calls wrap around and leave the other fields alone")
{
    const pa::tag_fields large{pa::max_epoch + 2, pa::max_tag_call + 3, pa::message_kind::vote, 7};
    const pa::tag_fields wrapped{1, 2, pa::message_kind::vote, 7};
    CHECK(pa::fields_of(pa::make_tag(large)) == wrapped);
}

TEST_CASE("messages of one call share their call and nothing else does")
{
    const auto of = [](std::uint32_t epoch, std::uint32_t call, pa::message_kind kind,
                       std::uint32_t index) {
        return pa::call_of(pa::make_tag({epoch, call, kind, index}));
    };
    const auto call = of(3, 5, pa::message_kind::vote, 0);
    CHECK(of(3, 5, pa::message_kind::contribution, pa::max_call_index) == call);
    CHECK(of(3, 6, pa::message_kind::vote, 0) != call);
    CHECK(of(4, 5, pa::message_kind::vote, 0) != call);
    CHECK(pa::call_of(pa::make_tag({3, 5, pa::message_kind::vote, 0, 1})) != call);
}

TEST_CASE("a user's tag is that of no call and of no request")
{
    for (const std::uint32_t number : {0u, 1u, pa::max_tag_index}) {
        const auto mine = pa::fields_of(pa::user_tag(number));
        CHECK(mine.kind == pa::message_kind::user);
        CHECK(mine.index == number);
        CHECK(mine.epoch == 0);
        CHECK(mine.call == 0);  // calls begin at 1, and requests above them: none is discarded
    }
    CHECK(pa::user_tag(1) != pa::user_tag(2));
}

TEST_CASE("a tag holds epoch, call, kind, view, attempt and index, from the top")
{
    CHECK(pa::make_tag({0xabc, 0xdef01, pa::message_kind::vote, 0x34567, 0x2, 0x1a}) ==
          pa::tag{0xabcdef017a234567});
    CHECK(pa::make_tag({0xabc, 0xdef01, pa::message_kind::user, 0x234567}) ==
          pa::tag{0xabcdef0100234567});
    CHECK(pa::make_tag({0xabc, 0xdef01, pa::message_kind::view, 0x34567, 0x2, 0x1f}) ==
          pa::tag{0xabcdef01bf234567});
    CHECK(pa::make_tag({0xabc, 0xdef01, pa::message_kind::answer, 0, 0x2, 0}) ==
          pa::tag{0xabcdef01c0200000});
}

TEST_CASE(
    "what tells of a call's views or end concerns its later views, and so does what is of one")
{
    for (const auto kind : all_kinds) {
        const bool tells = kind == pa::message_kind::view || kind == pa::message_kind::answer;
        const auto first = pa::make_tag({.call = 5, .kind = kind, .view = 0});
        const auto later = pa::make_tag({.call = 5, .kind = kind, .view = 1});
        CHECK(pa::tells_of_views(first) == tells);
        CHECK(pa::concerns_later_views(first) == tells);
        CHECK(pa::concerns_later_views(later) == pa::is_of_call(kind));
    }
}

TEST_CASE("a message keeps its call in every view, and no call's tag is one of a link's own")
{
    for (const auto kind : all_kinds) {
        const auto last = pa::make_tag({pa::max_epoch, pa::max_call, kind, pa::max_call_index,
                                        pa::max_tag_attempt, pa::max_tag_view});
        CHECK(last < pa::wire::first_reserved_tag);
        if (!pa::is_of_call(kind)) continue;
        const auto first = pa::make_tag({3, 5, kind, 7, 1, 0});
        for (const std::uint32_t view : {1u, pa::max_tag_view}) {
            const auto later = pa::make_tag({3, 5, kind, 7, 1, view});
            CHECK(later != first);
            CHECK(pa::call_of(later) == pa::call_of(first));
        }
    }
}
