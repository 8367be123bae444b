#include <papilio/base/kept_memory.hpp>
#include <papilio/collective/engine/undo_log.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

using papilio::detail::kept_memory;
using papilio::detail::undo_log;

namespace {

std::vector<int> counted(std::size_t count)
{
    std::vector<int> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

}  // namespace

TEST_CASE("what has been saved is put back, unless results are to be kept")
{
    for (const bool keep : {false, true}) {
        kept_memory memory;
        auto data = counted(1000);
        const auto bytes = std::as_writable_bytes(std::span(data));
        {
            undo_log log(memory, bytes);
            log.save(0, 40);
            log.save(400, 0);
            log.save(400, 801);
            std::ranges::fill(data, -1);
            if (keep) log.keep_results();
        }
        auto expected = std::vector<int>(1000, -1);
        if (!keep) {
            const auto was = counted(1000);
            std::ranges::copy_n(was.begin(), 10, expected.begin());
            std::ranges::copy_n(was.begin() + 100, 200, expected.begin() + 100);
            std::as_writable_bytes(std::span(expected))[1200] = std::byte(300 & 0xff);
        }
        CHECK(data == expected);
    }
}

TEST_CASE("a range that is written again goes back to what it held at first")
{
    kept_memory memory;
    auto data = counted(10);
    {
        undo_log log(memory, std::as_writable_bytes(std::span(data)));
        for (int times = 0; times < 3; ++times) {
            log.save(8, 12);
            std::ranges::fill_n(data.begin() + 2, 3, -times);
        }
    }
    CHECK(data == counted(10));
}

TEST_CASE("what a range held can be read though it has been overwritten")
{
    kept_memory memory;
    auto data = counted(10);
    undo_log log(memory, std::as_writable_bytes(std::span(data)));
    log.save(8, 12);
    std::ranges::fill(data, -1);
    const auto was = counted(10);
    const auto saved = log.saved(8, 12);
    CHECK(std::ranges::equal(saved, std::as_bytes(std::span(was).subspan(2, 3))));
    CHECK(log.saved(20, 12).empty());
    CHECK(log.saved(8, 0).empty());
}
