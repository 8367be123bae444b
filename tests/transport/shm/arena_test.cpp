#include <papilio/transport/shm/arena.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace pa = papilio;
using namespace papilio::shm::detail;

namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;

/// The file as another process maps it.
std::byte* mapped_elsewhere(arena& memory, std::unique_ptr<mapping>& held)
{
    held = std::make_unique<mapping>(memory.file(), size_of_sealed(memory.file()), PROT_READ, 0);
    return held->data();
}

}  // namespace

TEST_CASE("what an arena gives begins as zeros, with a page, and is seen where its file is mapped")
{
    const auto memory = std::make_shared<arena>(megabyte);
    std::unique_ptr<mapping> held;
    const auto* const there = mapped_elsewhere(*memory, held);
    const auto first = memory->allocate(10), second = memory->allocate(5000);
    CHECK(reinterpret_cast<std::uintptr_t>(second.get()) % 4096 == 0);
    CHECK(std::all_of(second.get(), second.get() + 5000, [](auto b) { return b == std::byte{}; }));
    std::memset(second.get(), 9, 5000);
    const auto offset = memory->offset_of({second.get() + 1, 7});
    REQUIRE(offset);
    CHECK(there[*offset] == std::byte{9});
    CHECK(memory->offset_of({first.get(), 1}) == 0u);
}

TEST_CASE("ordinary memory is not in an arena, whether that is mapped or not")
{
    const auto memory = std::make_shared<arena>(megabyte);
    const std::vector<std::byte> ordinary(10);
    CHECK(!memory->offset_of(ordinary));
    CHECK(!memory->offset_of({}));
    const auto piece = memory->allocate(1);
    CHECK(!memory->offset_of(ordinary));
    CHECK(!memory->offset_of({piece.get() + megabyte, 1}));
}

TEST_CASE("what is given back to an arena is zeros for whoever maps it, and is given out again")
{
    const auto memory = std::make_shared<arena>(megabyte);
    std::unique_ptr<mapping> held;
    const auto* const there = mapped_elsewhere(*memory, held);
    auto one = memory->allocate(megabyte / 4), two = memory->allocate(megabyte / 4),
         three = memory->allocate(megabyte / 2);
    CHECK_THROWS_AS(memory->allocate(1), std::bad_alloc);
    std::memset(two.get(), 3, megabyte / 4);
    CHECK(there[megabyte / 4] == std::byte{3});
    two.reset();
    CHECK(there[megabyte / 4] == std::byte{0});
    one.reset();
    three.reset();
    CHECK(memory->allocate(megabyte) != nullptr);  // the pieces have become one again
    CHECK_THROWS_AS(memory->allocate(megabyte + 1), std::bad_alloc);
    CHECK_THROWS_AS(memory->allocate(~std::size_t{0}), std::bad_alloc);
}

TEST_CASE("an arena lives as long as a piece of it")
{
    auto memory = std::make_shared<arena>(megabyte);
    auto piece = memory->allocate(100);
    std::weak_ptr<arena> watched = memory;
    memory.reset();
    piece.get()[99] = std::byte{1};
    CHECK(!watched.expired());
    piece.reset();
    CHECK(watched.expired());
}

TEST_CASE("an arena without a limit above nothing has no file and no memory")
{
    const auto memory = std::make_shared<arena>(0);
    CHECK(memory->file().get() < 0);
    CHECK_THROWS_AS(memory->allocate(1), std::bad_alloc);
}

TEST_CASE("the memory of a copy serves for the next one, unless somebody may still read it")
{
    const auto memory = std::make_shared<arena>(megabyte);
    const std::vector<std::byte> message(40'000, std::byte{5});
    std::unique_ptr<mapping> held;
    const auto* const there = mapped_elsewhere(*memory, held);
    auto copy = memory->copy_of(message);
    const auto first = copy->offset();
    CHECK(std::equal(message.begin(), message.end(), there + first));
    const auto beside = memory->copy_of(message);
    CHECK(beside->offset() != first);
    copy.reset();
    copy = memory->copy_of(pa::bytes(message).first(39'000));
    CHECK(copy->offset() == first);
    copy->lose();
    copy.reset();
    CHECK(memory->copy_of(message)->offset() != first);
    CHECK(there[first] == std::byte{5});
}

TEST_CASE("a shared copy is one for all who ask, and another one when all are through with it")
{
    const auto memory = std::make_shared<arena>(megabyte);
    std::vector<std::byte> message(40'000, std::byte{5});
    auto one = memory->shared_copy_of(message), two = memory->shared_copy_of(message);
    CHECK(one == two);
    CHECK(memory->shared_copy_of(pa::bytes(message).first(39'999)) != one);
    one.reset();
    two.reset();
    message[0] = std::byte{6};
    std::unique_ptr<mapping> held;
    const auto* const there = mapped_elsewhere(*memory, held);
    CHECK(there[memory->shared_copy_of(message)->offset()] == std::byte{6});
}
