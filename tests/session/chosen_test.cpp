#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/op.hpp>
#include <papilio/session/chosen.hpp>
#include <papilio/session/collective_calls.hpp>
#include <papilio/session/elements_ref.hpp>
#include <papilio/session/impl/chosen.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace pa = papilio;

namespace {

std::string refusal_of(const pa::detail::untyped_data& d)
{
    try {
        pa::detail::data_of_choice(d);
    } catch (const std::system_error& failure) {
        return pa::sentence(failure);
    }
    return {};
}

}  // namespace

TEST_CASE("what is chosen by type or by id is the same call")
{
    const std::vector<float> in(10);
    std::vector<float> out(10);
    const auto by_type = pa::detail::data_of_choice({in, out, pa::mean{}, pa::int8b{}});
    const auto by_id = pa::detail::data_of_choice({in, out, pa::op_id::mean, pa::codec_id::int8b});
    for (const auto* data : {by_type.get(), by_id.get()}) {
        CHECK(data->kind().op == static_cast<std::uint8_t>(pa::op_id::mean));
        CHECK(data->kind().codec == pa::codec_id::int8b);
        CHECK(data->kind().element == pa::element_type::f32);
        CHECK(data->out().size() == 40);
    }
    CHECK(pa::chosen_op().id() == pa::op_id::sum);
    CHECK(pa::chosen_codec().id() == pa::codec_id::identity);
}

TEST_CASE("every operation on every element that is offered is there, and the rest has a sentence")
{
    std::vector<double> d(1);
    std::vector<std::int64_t> i(1);
    std::vector<short> s(1);
    std::vector<float> f(1);
    for (int op = 1; op <= 7; ++op) {
        const auto id = static_cast<pa::op_id>(op);
        CHECK(refusal_of({d, d, id, {}}).empty());
        const bool mean =
            id == pa::op_id::mean || id == pa::op_id::weighted_mean || id == pa::op_id::exact_mean;
        CHECK(refusal_of({i, i, id, {}}).empty() == !mean);
    }
    CHECK(refusal_of({f, f, pa::max{}, pa::int8b{}}) ==
          "max of f32 by int8b is not offered: by this codec these elements are reduced by sum, "
          "mean, weighted_mean");
    CHECK(refusal_of({d, d, {}, pa::int8b{}}) ==
          "sum of f64 by int8b is not offered: lossy codecs are for elements of type f32");
    CHECK(refusal_of({s, s, {}, {}}) ==
          "sum of i16 by identity is not offered: the elements must be f32, f64, f16, bf16, i32, "
          "i64, u8, u32 or u64");
    CHECK(refusal_of({f, f, {}, pa::codec_id::sign1}).find("the codec must be one of identity, ") !=
          std::string::npos);
    CHECK(refusal_of({f, f, {}, pa::topk<128>{}}).find("other parameters than the usual ones") !=
          std::string::npos);
    CHECK(refusal_of({d, f, {}, {}}) == "in and out hold elements of different types, f64 and f32");
}
