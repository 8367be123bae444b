#include <papilio/async/frame_memory.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <thread>
#include <vector>

using papilio::detail::frame_memory;

namespace {

constexpr bool keeps_blocks = !papilio::detail::watches_addresses;

}  // namespace

TEST_CASE("memory of a frame that is given back is lent again for any size of its class")
{
    void* const first = frame_memory::take(100);
    std::memset(first, 7, 100);
    frame_memory::give(first, 100);
    void* const second = frame_memory::take(128);
    CHECK((second == first || !keeps_blocks));
    frame_memory::give(second, 128);
    void* const larger = frame_memory::take(129);
    CHECK((larger != second || !keeps_blocks));
    frame_memory::give(larger, 129);
}

TEST_CASE("a thread keeps 64 KiB for frames of a size, and nothing for large ones")
{
    std::thread([] {
        std::vector<void*> taken;
        for (int i = 0; i < 200; ++i) taken.push_back(frame_memory::take(1024));
        for (void* p : taken) frame_memory::give(p, 1024);
        CHECK(frame_memory::kept() == (keeps_blocks ? frame_memory::max_kept : 0));
        frame_memory::give(frame_memory::take(frame_memory::largest + 1),
                           frame_memory::largest + 1);
        CHECK(frame_memory::kept() == (keeps_blocks ? frame_memory::max_kept : 0));
    }).join();
}

TEST_CASE("memory of a frame may be given back in another thread, which keeps it then")
{
    void* const here = frame_memory::take(300);
    void* there = nullptr;
    std::thread([&] {
        frame_memory::give(here, 300);
        there = frame_memory::take(300);
        frame_memory::give(there, 300);
    }).join();
    CHECK((there == here || !keeps_blocks));
}
