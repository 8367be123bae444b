#include <papilio/base/crc32c.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pa = papilio;

namespace {

struct named_kernel {
    const char* name;
    pa::detail::crc32c_kernel run;
};

/// Those that run here.
std::vector<named_kernel> kernels()
{
    std::vector<named_kernel> all{{"tables", pa::detail::crc32c_by_tables}};
    if (const auto k = pa::detail::crc32c_by_instruction()) all.push_back({"instruction", k});
    if (const auto k = pa::detail::crc32c_by_products()) all.push_back({"products", k});
    return all;
}

std::uint32_t crc_by(pa::detail::crc32c_kernel kernel, pa::bytes data, std::uint32_t before = 0)
{
    return ~kernel(~before, data.data(), data.size());
}

/// As the definition says, bit by bit.
std::uint32_t crc_of_definition(pa::bytes data)
{
    std::uint32_t crc = ~0u;
    for (const auto b : data) {
        crc ^= static_cast<std::uint32_t>(b);
        for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

std::vector<std::byte> noise(std::size_t size)
{
    pa::random random(size);
    std::vector<std::byte> data(size);
    for (auto& b : data) b = static_cast<std::byte>(random.below(256));
    return data;
}

}  // namespace

TEST_CASE("a CRC-32C is that of the examples of iSCSI")
{
    std::vector<std::byte> up(32), down(32);
    for (std::size_t i = 0; i < 32; ++i) up[i] = down[31 - i] = static_cast<std::byte>(i);
    const std::string digits = "123456789";
    for (const auto& [name, kernel] : kernels()) {
        INFO(name);
        CHECK(crc_by(kernel, std::vector<std::byte>(32, std::byte{0})) == 0x8a9136aa);
        CHECK(crc_by(kernel, std::vector<std::byte>(32, std::byte{0xff})) == 0x62a8ab43);
        CHECK(crc_by(kernel, up) == 0x46dd794e);
        CHECK(crc_by(kernel, down) == 0x113fdb5c);
        CHECK(crc_by(kernel, std::as_bytes(std::span(digits))) == 0xe3069283);
        CHECK(crc_by(kernel, {}) == 0);
    }
    CHECK(pa::crc32c(up) == 0x46dd794e);
}

TEST_CASE("every way to compute a CRC-32C gives the same, for every length, place and cut")
{
    const auto data = noise(60'000);
    for (const auto& [name, kernel] : kernels()) {
        INFO(name);
        bool same = true;
        for (std::size_t size = 0; size < 2000; ++size) {
            const auto part = pa::bytes(data).subspan(size % 17, size);
            same = same && crc_by(kernel, part) == crc_of_definition(part);
        }
        CHECK(same);
        const auto all = crc_of_definition(data);
        CHECK(crc_by(kernel, data) == all);
        for (const std::size_t cut : {1u, 255u, 4096u, 12'288u, 12'289u, 50'000u, 59'999u}) {
            const auto first = crc_by(kernel, pa::bytes(data).first(cut));
            CHECK(crc_by(kernel, pa::bytes(data).subspan(cut), first) == all);
        }
    }
}

TEST_CASE("a CRC-32C finds each single flipped bit")
{
    auto data = noise(300);
    const auto right = pa::crc32c(data);
    for (std::size_t bit = 0; bit < 8 * data.size(); ++bit) {
        data[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
        CHECK(pa::crc32c(data) != right);
        data[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
    }
}
