#include <papilio/swarm/update_log.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;

namespace {

std::vector<std::byte> update(std::size_t size, int value = 0)
{
    return std::vector<std::byte>(size, std::byte(value));
}

std::vector<int> values(const std::vector<pa::shared_update>& updates)
{
    std::vector<int> first;
    for (const auto& u : updates) first.push_back(std::to_integer<int>(u->front()));
    return first;
}

pa::update_log log_of(std::uint32_t first, std::uint32_t last, std::size_t max_bytes = 1000)
{
    pa::update_log log(max_bytes);
    for (auto round = first; round <= last; ++round)
        log.add(round, update(10, static_cast<int>(round)));
    return log;
}

constexpr std::uint64_t enough = 1000;

}  // namespace

TEST_CASE("updates lead on from each state that they cover", "[state]")
{
    const auto log = log_of(5, 8);
    CHECK(values(log.after(4, enough)) == std::vector<int>{5, 6, 7, 8});
    CHECK(values(log.after(6, enough)) == std::vector<int>{7, 8});
    CHECK(values(log.after(7, enough)) == std::vector<int>{8});
    CHECK(log.after(8, enough).empty());
    CHECK(log.after(9, enough).empty());
    CHECK(log.after(3, enough).empty());
    CHECK(log.after(0xffffffff, enough).empty());
    CHECK(pa::update_log(100).after(0, enough).empty());
}

TEST_CASE("no more is given than was asked for, and never a later one without those before",
          "[state]")
{
    auto log = log_of(5, 8);
    CHECK(values(log.after(4, 29)) == std::vector<int>{5, 6});
    CHECK(log.after(4, 9).empty());
    log.add(9, update(100, 9));
    log.add(10, update(1, 10));
    CHECK(values(log.after(7, 50)) == std::vector<int>{8});
}

TEST_CASE("the oldest updates make place for new ones", "[state]")
{
    auto log = log_of(1, 12, 50);
    CHECK(log.bytes() == 50);
    CHECK(log.after(6, enough).empty());
    CHECK(values(log.after(7, enough)) == std::vector<int>{8, 9, 10, 11, 12});
    log.add(13, update(51, 13));  // more than all may have
    CHECK(log.bytes() == 0);
    CHECK(log.after(12, enough).empty());
    log.add(14, update(10, 14));
    CHECK(log.after(12, enough).empty());
    CHECK(values(log.after(13, enough)) == std::vector<int>{14});
}

TEST_CASE("a log has at most 64 updates", "[state]")
{
    const auto log = log_of(1, 70);
    CHECK(log.after(5, enough).empty());
    CHECK(log.after(6, enough).size() == pa::update_log::most);
}

TEST_CASE("what does not follow the newest update takes the place of all", "[state]")
{
    auto log = log_of(5, 8);
    log.add(7, update(10, 70));  // the run has fallen back
    CHECK(log.bytes() == 10);
    CHECK(values(log.after(6, enough)) == std::vector<int>{70});
    CHECK(log.after(5, enough).empty());
    log.add(20, update(10, 20));
    CHECK(log.after(7, enough).empty());
    CHECK(values(log.after(19, enough)) == std::vector<int>{20});
}
