#include <papilio/base/checksum.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <set>
#include <vector>

namespace pa = papilio;

namespace {

std::vector<std::byte> drawn(std::size_t n, std::uint64_t seed = 1)
{
    pa::random random(seed);
    std::vector<std::byte> data(n);
    for (auto& b : data) b = std::byte(random.below(256));
    return data;
}

}  // namespace

TEST_CASE("a checksum changes with every single bit", "[checksum]")
{
    const auto n = GENERATE(1u, 7u, 31u, 32u, 33u, 64u, 100u);
    auto data = drawn(n);
    std::set<std::uint64_t> seen{pa::checksum(data)};
    for (std::size_t bit = 0; bit < 8 * n; ++bit) {
        const auto mask = std::byte(1u << (bit % 8));
        data[bit / 8] ^= mask;
        seen.insert(pa::checksum(data));
        data[bit / 8] ^= mask;
    }
    CHECK(seen.size() == 8 * n + 1);
}

TEST_CASE("a checksum knows zeros by their number and blocks by their order", "[checksum]")
{
    std::set<std::uint64_t> seen;
    for (std::size_t n = 0; n < 200; ++n) seen.insert(pa::checksum(std::vector<std::byte>(n)));
    CHECK(seen.size() == 200);

    auto data = drawn(128);
    const auto before = pa::checksum(data);
    std::swap_ranges(data.begin(), data.begin() + 32, data.begin() + 32);
    CHECK(pa::checksum(data) != before);
}

TEST_CASE("a checksum does not depend on where the data lies", "[checksum]")
{
    const auto data = drawn(1000);
    std::vector<std::byte> shifted(data.size() + 3);
    std::ranges::copy(data, shifted.begin() + 3);
    CHECK(pa::checksum(pa::bytes(shifted).subspan(3)) == pa::checksum(data));
}
