#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/kept_memory.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

using papilio::detail::kept_memory;

constexpr std::size_t great = 8 << 20;
constexpr bool keeps = !papilio::detail::watches_addresses;

}  // namespace

TEST_CASE("a block that is taken is at least as large as was asked for, and can be filled")
{
    kept_memory memory;
    for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, great + 1}) {
        auto block = memory.take(size);
        CHECK(block.get().size() >= size);
        std::ranges::fill(block.get(), std::byte{7});
        memory.give(std::move(block));
    }
}

TEST_CASE("what is given back is lent again to whoever needs as much or less")
{
    kept_memory memory;
    const auto lent = [&](std::size_t size) {
        auto block = memory.take(size);
        const auto* where = block.get().data();
        memory.give(std::move(block));
        return where;
    };
    const auto* first = lent(great);
    CHECK((lent(great) == first || !keeps));
    CHECK((lent(great / 4) == first || !keeps));
    CHECK(memory.size() == (keeps ? great : 0));
}

TEST_CASE("of several blocks that are kept the smallest that is enough is lent")
{
    kept_memory memory;
    auto small = memory.take(great), large = memory.take(3 * great), last = memory.take(2 * great);
    const auto* where = small.get().data();
    memory.give(std::move(large));
    memory.give(std::move(small));
    memory.give(std::move(last));
    CHECK((memory.take(great - 1000).get().data() == where || !keeps));
}

TEST_CASE("no more is kept than was lent at the same time, whatever the sizes")
{
    kept_memory memory;
    for (std::size_t size = 1; size <= 8; ++size) memory.give(memory.take(size * great));
    CHECK(memory.size() == (keeps ? 8 * great : 0));
    auto one = memory.take(8 * great), other = memory.take(great);
    memory.give(std::move(one));
    memory.give(std::move(other));
    CHECK(memory.size() == (keeps ? 9 * great : 0));
}

TEST_CASE("two at the same time have memory of their own")
{
    kept_memory memory;
    memory.give(memory.take(great));
    auto one = memory.take(great), other = memory.take(great);
    CHECK(one.get().data() != other.get().data());
}

TEST_CASE("no more is kept than 1 GiB, of what was given last, and nothing after a release")
{
    kept_memory memory;
    constexpr auto third = kept_memory::max_kept / 3 + (1 << 20);
    std::vector<kept_memory::block> blocks;
    for (int i = 0; i < 3; ++i) blocks.push_back(memory.take(third));
    const auto* last = blocks.back().get().data();
    for (auto& b : blocks) memory.give(std::move(b));
    CHECK(memory.size() <= kept_memory::max_kept);
    CHECK((memory.size() > third || !keeps));
    auto newest = memory.take(third);
    auto second = memory.take(third);
    CHECK((newest.get().data() == last || second.get().data() == last || !keeps));
    memory.release();
    CHECK(memory.size() == 0);
    memory.give(memory.take(2 * kept_memory::max_kept));
    CHECK(memory.size() == 0);
}
