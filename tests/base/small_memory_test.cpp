#include <papilio/base/small_memory.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <thread>
#include <vector>

using papilio::detail::small_memory;

namespace {

constexpr bool keeps_blocks = !papilio::detail::watches_addresses;

}  // namespace

TEST_CASE("a small block that is given back is lent again for any size of its class")
{
    void* const first = small_memory::take(100);
    std::memset(first, 7, 100);
    small_memory::give(first, 100);
    void* const second = small_memory::take(128);
    CHECK((second == first || !keeps_blocks));
    small_memory::give(second, 128);
    void* const larger = small_memory::take(129);
    CHECK((larger != second || !keeps_blocks));
    small_memory::give(larger, 129);
}

TEST_CASE("a thread keeps 64 KiB of blocks of a size, 1 MiB of all, and no large ones")
{
    std::thread([] {
        const auto lend = [](std::size_t size, int times) {
            std::vector<void*> taken;
            for (int i = 0; i < times; ++i) taken.push_back(small_memory::take(size));
            for (void* p : taken) small_memory::give(p, size);
        };
        lend(1024, 200);
        CHECK(small_memory::kept() == (keeps_blocks ? small_memory::max_of_size : 0));
        lend(small_memory::largest + 1, 1);
        CHECK(small_memory::kept() == (keeps_blocks ? small_memory::max_of_size : 0));
        for (std::size_t size = 2048; size <= small_memory::largest; size += 1024) lend(size, 64);
        CHECK(small_memory::kept() <= small_memory::max_kept);
        CHECK((small_memory::kept() > small_memory::max_kept / 2 || !keeps_blocks));
        lend(1024, 200);
        CHECK(small_memory::kept() <= small_memory::max_kept);
    }).join();
}

TEST_CASE("a small block may be given back in another thread, which keeps it then")
{
    void* const here = small_memory::take(300);
    void* there = nullptr;
    std::thread([&] {
        small_memory::give(here, 300);
        there = small_memory::take(300);
        small_memory::give(there, 300);
    }).join();
    CHECK((there == here || !keeps_blocks));
}
