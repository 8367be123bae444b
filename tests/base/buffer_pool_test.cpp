#include <papilio/base/buffer_pool.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using papilio::detail::pooled_buffer;

constexpr std::size_t large = 128 << 10;

constexpr bool lends = !papilio::detail::watches_addresses;

}  // namespace

TEST_CASE("a buffer is as large as was asked for, and can be filled")
{
    for (const auto size : {0u, 1u, 4096u, 32u << 10, 1u << 20}) {
        pooled_buffer space(size);
        REQUIRE(space.get().size() == size);
        std::ranges::fill(space.get(), std::byte{7});
    }
    CHECK(pooled_buffer().get().empty());
}

TEST_CASE("a large buffer that is given back is lent again, also for a message without its header")
{
    const std::byte* where = nullptr;
    {
        const pooled_buffer first(large + 48);
        where = first.get().data();
    }
    const pooled_buffer second(large);
    CHECK((second.get().data() == where || !lends));
    CHECK(second.get().size() == large);
}

TEST_CASE("what was given back last is kept, whatever a thread has kept before")
{
    {
        std::vector<pooled_buffer> many;
        for (int i = 0; i < 16; ++i) many.emplace_back(512 << 10);
    }
    const std::byte* where = nullptr;
    {
        const pooled_buffer other(large);
        where = other.get().data();
    }
    const pooled_buffer again(large);
    CHECK((again.get().data() == where || !lends));
}

TEST_CASE("a buffer takes little more memory than was asked for")
{
    for (std::size_t size = 1; size < (std::size_t{1} << 40); size += size / 7 + 1) {
        CHECK(pooled_buffer::held(size) >= size);
        CHECK(pooled_buffer::held(size) <= size + size / 8 + 64);
    }
}

TEST_CASE("buffers that are in use at a time lie apart")
{
    for (int times = 0; times < 3; ++times) {
        std::vector<pooled_buffer> buffers;
        for (int i = 0; i < 40; ++i) {
            buffers.emplace_back(large);
            std::ranges::fill(buffers.back().get(), static_cast<std::byte>(i));
        }
        for (int i = 0; i < 40; ++i) {
            const auto held = buffers[static_cast<std::size_t>(i)].get();
            CHECK(std::ranges::count(held, static_cast<std::byte>(i)) == std::ssize(held));
        }
    }
}

TEST_CASE("a buffer stays where it is as long as it grows within its memory")
{
    pooled_buffer space(large);
    const auto* const where = space.get().data();
    CHECK(space.resize(10).data() == where);
    CHECK(space.resize(large).data() == where);
    pooled_buffer full(10);
    const auto* const before = full.get().data();
    CHECK(full.resize(11).data() != before);
    const auto grown = space.resize(2 * large);
    CHECK(grown.size() == 2 * large);
    std::ranges::fill(grown, std::byte{1});
}

TEST_CASE("a buffer that was moved from is empty")
{
    pooled_buffer from(large);
    const auto* const where = from.get().data();
    const pooled_buffer to(std::move(from));
    CHECK(to.get().data() == where);
    CHECK(from.get().empty());
}

TEST_CASE("a buffer may be given back on another thread, and after its thread has ended")
{
    std::optional<pooled_buffer> space;
    std::thread([&] { space.emplace(large); }).join();
    std::thread([&] { space.reset(); }).join();

    std::thread([] {
        // Begins before what the thread keeps, and ends after it.
        thread_local std::optional<pooled_buffer> last;
        last.emplace(std::size_t{1});
        last.emplace(large);
    }).join();
}
