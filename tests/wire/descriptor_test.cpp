#include <papilio/wire/descriptor.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace pa = papilio;

namespace {

const pa::wire::descriptor sample{.call = 7,
                                  .peers = 3,
                                  .element = pa::element_type::bf16,
                                  .op = 2,
                                  .codec = 4,
                                  .back = 5,
                                  .count = 1'000'003,
                                  .columns = 65'536,
                                  .layout = 0x1234'5678'9abc'def0,
                                  .weight = 2.5,
                                  .attempt = 3};

}  // namespace

TEST_CASE("a descriptor is read as it was written")
{
    CHECK(pa::wire::parse_descriptor(pa::wire::encode(sample)) == sample);
}

TEST_CASE("weights behind a descriptor are read as they were written, and none that cannot be")
{
    const std::vector<double> weights{0, 2.5, 0x1p53 - 1};
    std::vector<std::byte> message(24 + 5);
    pa::wire::store_weights(weights, message);
    CHECK(pa::wire::parse_weights(message, 3) == weights);
    CHECK(pa::wire::parse_weights(message, 0).empty());
    CHECK_THROWS_WITH(pa::wire::parse_weights(pa::bytes(message).first(23), 3),
                      Catch::Contains("is at least 24: it is 23"));
    for (const double weight : {-0.0, -1.0, 0x1p53, std::numeric_limits<double>::quiet_NaN()}) {
        pa::wire::store_weights(std::vector{1.0, weight}, message);
        CHECK_THROWS_WITH(pa::wire::parse_weights(message, 2),
                          Catch::Contains("a weight in a list of them is at least 0 and below"));
    }
}

TEST_CASE("what is no descriptor is refused")
{
    const auto good = pa::wire::encode(sample);
    CHECK_THROWS_WITH(pa::wire::parse_descriptor(pa::bytes(good).first(55)),
                      Catch::Contains("is at least 56 bytes: it is 55"));
    for (const std::size_t magic_or_version : {0u, 3u, 4u}) {
        auto bad = good;
        bad[magic_or_version] ^= std::byte{1};
        CHECK_THROWS_AS(pa::wire::parse_descriptor(bad), std::system_error);
    }
    auto reserved = good;
    reserved[52] = std::byte{1};
    CHECK_THROWS_WITH(pa::wire::parse_descriptor(reserved),
                      Catch::Contains("the last field of a descriptor is 0: it is 1"));
    CHECK(good.size() % 8 == 0);  // elements lie behind it
    const auto infinity = std::numeric_limits<double>::infinity();
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    for (const double weight : {-0.0, -1.0, 0x1p53, infinity, nan}) {
        auto bad = sample;
        bad.weight = weight;
        CHECK_THROWS_WITH(pa::wire::parse_descriptor(pa::wire::encode(bad)),
                          Catch::Contains("the weight in a descriptor is at least 0 and below"));
    }
}

TEST_CASE("descriptors that differ, weights aside, differ in words and in their digest")
{
    const auto differs = [](auto change, const char* word) {
        auto other = sample;
        change(other);
        CHECK_THAT(pa::wire::difference(sample, other), Catch::Contains(word));
        CHECK_FALSE(pa::wire::difference(other, sample).empty());
        CHECK(pa::wire::digest(sample) != pa::wire::digest(other));
    };
    differs([](auto& d) { ++d.call; }, "call");
    differs([](auto& d) { ++d.attempt; }, "begun is 3 here and 4 there");
    differs([](auto& d) { ++d.peers; }, "number of peers");
    differs([](auto& d) { d.element = pa::element_type::f32; }, "bf16 here and f32 there");
    differs([](auto& d) { ++d.op; }, "operation");
    differs([](auto& d) { ++d.codec; }, "codec");
    differs([](auto& d) { ++d.back; }, "way back");
    differs([](auto& d) { ++d.count; }, "1000003 here and 1000004 there");
    differs([](auto& d) { ++d.columns; }, "columns");
    differs([](auto& d) { ++d.layout; }, "shares");

    auto heavier = sample;
    heavier.weight = 9;
    CHECK(pa::wire::difference(sample, heavier).empty());
    CHECK(pa::wire::digest(sample) == pa::wire::digest(heavier));
}
