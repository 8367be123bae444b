#include <papilio/transport/shm/loans.hpp>

#include <papilio/base/error.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace papilio::shm::detail;

namespace {

constexpr std::size_t ring_bytes = 4096, arena_bytes = std::size_t{64} << 20;
constexpr std::size_t large = 40'000;

pa::tag tag_of(pa::message_kind kind, std::uint32_t index = 1)
{
    return pa::make_tag({.call = 1, .kind = kind, .index = index});
}
const auto contribution = tag_of(pa::message_kind::contribution);
const auto result = tag_of(pa::message_kind::result);

owned_fd copy_of(const owned_fd& file)
{
    return owned_fd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
}

/// The two ends of a link in one process.
struct lending_pair {
    /// `other` is sent in place of the lender's arena.
    explicit lending_pair(std::optional<owned_fd> other = {})
        : file(ring_memory::make(ring_bytes)),
          one(ring_memory(file, ring_bytes), true, memory, owned_fd()),
          two(ring_memory(file, ring_bytes), false, std::make_shared<arena>(0),
              other ? std::move(*other) : copy_of(memory->file()))
    {
    }

    /// What an honest end lends.
    wire::loan lent(pa::tag t, pa::bytes message) { return one.lend(t, message).value().where; }

    std::shared_ptr<arena> memory = std::make_shared<arena>(arena_bytes);
    owned_fd file;
    loans one;
    loans two;
};

std::error_code refusal(loans& by, const wire::loan& l)
{
    try {
        by.borrow(l);
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace

TEST_CASE("a contribution in allocated memory is lent from where it lies")
{
    lending_pair pair;
    const auto piece = pair.memory->allocate(large + 100);
    std::fill_n(piece.get(), large + 100, std::byte{1});
    const auto made = pair.one.lend(contribution, {piece.get() + 4, large});
    REQUIRE(made);
    CHECK(!made->copied);
    const auto lent = pair.two.borrow(made->where);
    REQUIRE(lent);
    piece.get()[4] = std::byte{2};
    CHECK(lent->get().size() == large);
    CHECK(lent->get()[0] == std::byte{2});
    CHECK(lent->get()[1] == std::byte{1});
    CHECK(lent->intact());
}

TEST_CASE("a contribution in ordinary memory is lent as a copy, so that its sender may change it")
{
    lending_pair pair;
    std::vector<std::byte> message(large, std::byte{1});
    const auto made = pair.one.lend(contribution, message);
    REQUIRE(made);
    CHECK(made->copied);
    message[0] = std::byte{2};
    CHECK(pair.two.borrow(made->where)->get()[0] == std::byte{1});
    CHECK(pair.lent(contribution, message).offset != made->where.offset);
}

TEST_CASE("peers that are sent the same result share a copy, which lasts as long as its sends")
{
    lending_pair pair;
    const std::vector<std::byte> message(large, std::byte{1});
    const auto made = pair.one.lend(result, message), again = pair.one.lend(result, message);
    REQUIRE((made && again));
    CHECK(!made->copied);
    CHECK(made->where.offset == again->where.offset);
    CHECK(made->where.number != again->where.number);
    CHECK(pair.one.returned(made->where.number) == large);
    CHECK(pair.one.returned(made->where.number) == 0);
    CHECK(pair.two.borrow(again->where)->intact());
}

TEST_CASE("small messages, and those that are of no call, are not lent")
{
    lending_pair pair;
    const std::vector<std::byte> message(large);
    CHECK(!pair.one.lend(contribution, pa::bytes(message).first(1000)));
    CHECK(!pair.one.lend(pa::user_tag(1), message));
    CHECK(!pair.one.lend(tag_of(pa::message_kind::control), message));
    CHECK(!pair.two.lend(contribution, message));  // that end has no memory to lend
}

TEST_CASE("what has been taken back is not to be used, though its bytes are there")
{
    lending_pair pair;
    const std::vector<std::byte> message(large);
    const auto first = pair.lent(result, message), second = pair.lent(contribution, message);
    const auto lent = pair.two.borrow(first);
    pair.one.take_back(first.number, true);
    CHECK(!lent->intact());
    CHECK(lent->get().size() == large);
    pair.one.take_back(second.number, true);
    CHECK(!pair.two.borrow(second));
    CHECK(pair.lent(result, message).number % 64 != first.number % 64);  // until it is returned
    CHECK(pair.one.returned(first.number) == large);
    CHECK(pair.lent(result, message).number % 64 == first.number % 64);
    CHECK(!lent->intact());
}

TEST_CASE("no more is lent than the other end takes, and copies take no more than their limit")
{
    lending_pair pair;
    const auto piece = pair.memory->allocate(large);
    std::vector<wire::loan> made;
    while (const auto one = pair.one.lend(contribution, {piece.get(), large}))
        made.push_back(one->where);
    CHECK(made.size() == wire::max_loans);
    std::vector<pa::detail::lent_ptr> held;
    for (const auto& l : made) held.push_back(pair.two.borrow(l));
    CHECK(refusal(pair.two, made[0]) == pa::errc::bad_message);
    held.pop_back();
    CHECK(pair.two.borrow(made[0]));
    for (const auto& l : made) pair.one.returned(l.number);

    const std::vector<std::byte> message(std::size_t{1} << 20);
    std::vector<std::uint64_t> copies;
    while (const auto one = pair.one.lend(contribution, message))
        copies.push_back(one->where.number);
    CHECK(copies.size() == 4);
    pair.one.returned(copies[2]);
    CHECK(pair.one.lend(contribution, message));
}

TEST_CASE("a loan of bytes that are not in the lender's memory is refused")
{
    lending_pair pair;
    const auto l = [](std::uint64_t offset, std::uint32_t size) {
        return wire::loan{contribution, 65, offset, size};
    };
    CHECK(refusal(pair.two, l(0, 100)) == std::error_code());
    CHECK(refusal(pair.two, l(arena_bytes - 100, 100)) == std::error_code());
    CHECK(refusal(pair.two, l(arena_bytes - 100, 101)) == pa::errc::bad_message);
    CHECK(refusal(pair.two, l(arena_bytes, 1)) == pa::errc::bad_message);
    CHECK(refusal(pair.two, l(~std::uint64_t{0}, 1)) == pa::errc::bad_message);
    CHECK(refusal(pair.two, l(~std::uint64_t{0} - 10, 0xffffffff)) == pa::errc::bad_message);
    CHECK(refusal(pair.one, l(0, 1)) == pa::errc::bad_message);  // the other end shares none
}

TEST_CASE("memory that could break under us is not borrowed from")
{
    owned_fd shrinks(::memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(shrinks.get(), arena_bytes) == 0);
    lending_pair pair(std::move(shrinks));
    CHECK(refusal(pair.two, {contribution, 65, 0, 100}) == pa::errc::bad_message);
}

TEST_CASE("what is held of a link that is gone can still be read, also when another one lends")
{
    auto pair = std::make_optional<lending_pair>();
    const auto memory = pair->memory;
    const std::vector<std::byte> message(large, std::byte{1}), other(large, std::byte{2});
    const auto lent = pair->two.borrow(pair->lent(contribution, message));
    pair.reset();
    const auto later = memory->copy_of(other);
    CHECK(lent->intact());
    CHECK(std::ranges::equal(lent->get(), message));
}
