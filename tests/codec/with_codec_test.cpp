#include <papilio/codec/with_codec.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <type_traits>
#include <vector>

using namespace papilio;

TEST_CASE("every codec in the list is found by its id and by its name")
{
    int count = 0;
    for_each_codec(all_codecs{}, [&](auto codec) {
        const auto same = [&](auto found) {
            return std::is_same_v<decltype(found), decltype(codec)>;
        };
        CHECK(with_codec(codec.id, same));
        CHECK(codec_named(name(codec.id)) == codec.id);
        ++count;
    });
    CHECK(count > 0);
}

TEST_CASE("a codec chosen by id encodes and decodes")
{
    const std::vector<float> values{1, -2, 3, -4};
    const auto round_trip = [&](auto codec) {
        std::vector<std::byte> encoded(codec.template bound<float>(values.size()));
        encoded.resize(codec.encode(std::span(values), mutable_bytes(encoded)));
        std::vector<float> out(values.size());
        codec.decode(bytes(encoded), std::span(out));
        return out;
    };
    CHECK(with_codec(codec_id::identity, round_trip) == values);
    CHECK(with_codec(codec_id::as_bf16, round_trip) == values);
}

TEST_CASE("a double beyond float's range becomes the largest in 16 bits, and is refused otherwise")
{
    for_each_codec(all_codecs{}, [](auto codec) {
        CAPTURE(name(codec.id));
        const std::vector<double> values{1e300, -1e300};
        std::vector<double> back(2);
        std::vector<std::byte> output(codec.template bound<double>(2));
        errc why{};
        try {
            const auto size = codec.encode(std::span(values), mutable_bytes(output));
            codec.decode(bytes(output).first(size), std::span(back));
        } catch (const std::system_error& failure) {
            why = static_cast<errc>(failure.code().value());
        }
        if (codec.lossless)
            CHECK(back == values);
        else if (codec.id == codec_id::as_f16 || codec.id == codec_id::hivemind_float16)
            CHECK(back == std::vector<double>{65504, -65504});
        else if (codec.id == codec_id::as_bf16)
            CHECK(back == std::vector<double>{0x1.fep127, -0x1.fep127});
        else
            CHECK(why == errc::not_finite);
    });
}

TEST_CASE("an unknown codec is refused by a sentence that names the known ones")
{
    const auto why = [](auto call) {
        try {
            call();
        } catch (const std::system_error& failure) {
            CHECK(failure.code() == errc::bad_argument);
            return std::string(failure.what());
        }
        return std::string();
    };
    using two = codec_list<as_bf16, int8b>;
    const auto by_id = why([] { with_codec(two{}, codec_id::sign1, [](auto) {}); });
    CHECK(by_id.find("must be one of as_bf16, int8b, not sign1 (id 12)") != std::string::npos);
    const auto user = why([] { with_codec(codec_id{200}, [](auto) {}); });
    CHECK(user.find("not a user's codec (id 200)") != std::string::npos);
    const auto by_name = why([] { codec_named("int9b", two{}); });
    CHECK(by_name.find("not \"int9b\"") != std::string::npos);
}
