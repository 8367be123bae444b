#include <papilio/session/mean_bytes.hpp>

#include <papilio/base/error.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>

namespace pa = papilio;

namespace {

/// The bytes beyond those of the head.
std::size_t size_of(const std::vector<float>& mean, std::vector<std::size_t> begins = {0})
{
    const auto written = pa::write_mean(mean, begins);
    std::vector<float> read(mean.size(), 7.0f);
    pa::read_mean(written, read);
    CHECK(std::ranges::equal(std::as_bytes(std::span(read)), std::as_bytes(std::span(mean))));
    return written.size() - 4 - 8 * begins.size();
}

}  // namespace

TEST_CASE("each block of a mean is written in the smallest form that keeps its bits", "[session]")
{
    std::vector<float> mean(128);
    CHECK(size_of(mean) == 1);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = 0.25f * static_cast<float>(i);
    CHECK(size_of(mean) == 1 + 4 + 128);
    mean[5] = std::nextafter(mean[5], 100.0f);
    CHECK(size_of(mean) == 1 + 4 * 128);
    mean[5] = 1e20f;  // neither of 8 bits nor of f16's
    CHECK(size_of(mean) == 1 + 4 * 128);
    mean[5] = std::ldexp(1.0f, 70);
    CHECK(size_of(mean) == 1 + 2 * 128);
    for (auto& v : mean) v = 1 + 1 / 1024.0f;  // of f16's, not of bf16's
    mean[5] = 3000;
    CHECK(size_of(mean) == 1 + 2 * 128);
}

TEST_CASE("blocks begin anew where parts begin", "[session]")
{
    std::vector<float> mean(200, 1.0f);
    for (std::size_t i = 70; i < 200; ++i) mean[i] = std::ldexp(1.0f, 90);
    CHECK(size_of(mean, {0, 70}) == 3 * (1 + 4) + 200);
    CHECK(size_of(mean, {0}) == 1 + 2 * 128 + 1 + 4 + 72);
}

TEST_CASE("whatever a mean holds comes back", "[session]")
{
    using limits = std::numeric_limits<float>;
    const std::vector<float> odd{-0.0f,
                                 limits::infinity(),
                                 limits::quiet_NaN(),
                                 limits::max(),
                                 limits::denorm_min(),
                                 -limits::max(),
                                 limits::lowest(),
                                 1e-40f};
    for (std::size_t n = 1; n <= odd.size(); ++n) {
        size_of({odd.begin(), odd.begin() + static_cast<std::ptrdiff_t>(n)});
        size_of(std::vector<float>(300, odd[n - 1]));
    }
    CHECK(size_of({}, {}) == 0);
}

TEST_CASE("bytes that are no mean are refused", "[session]")
{
    const std::vector<float> mean(300, 1.0f);
    const auto good = pa::write_mean(mean, std::vector<std::size_t>{0, 100});
    std::vector<float> read(mean.size());
    const auto refused = [&](const std::vector<std::byte>& bytes) {
        return pa::test::thrown_by([&] { pa::read_mean(bytes, read); }) == pa::errc::bad_message;
    };
    CHECK_FALSE(refused(good));
    for (std::size_t n = 0; n < good.size(); ++n)
        CHECK(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}));
    const auto with = [&](std::size_t at, int value) {
        auto changed = good;
        changed[at] = std::byte(value);
        return changed;
    };
    CHECK(refused(with(0, 0)));    // parts
    CHECK(refused(with(3, 255)));  // many parts
    CHECK(refused(with(4, 1)));    // where the first one begins
    CHECK(refused(with(12, 0)));   // and the second one
    CHECK(refused(with(14, 1)));   // beyond the end
    CHECK(refused(with(20, 9)));   // the form of a block
    auto longer = good;
    longer.push_back({});
    CHECK(refused(longer));
    read.resize(299);
    CHECK(refused(good));
}
