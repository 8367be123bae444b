#include <trainer/safetensors.hpp>

#include "support.hpp"

#include <trainer/safetensors_file.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace papilio::example;

namespace {

std::string written(std::vector<named_tensor> tensors)
{
    std::string file;
    write_safetensors(std::move(tensors), [&](papilio::bytes piece) {
        file.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    });
    return file;
}

/// What is wrong with a file that has this JSON and `data` bytes of data; empty when nothing is.
std::string fault(const std::string& json, std::uint64_t data)
{
    return problem_of([&] { parse_safetensors(json, 8 + json.size() + data); });
}

std::string size_fault(std::uint64_t claimed, std::uint64_t file_size)
{
    std::byte first[8];
    papilio::store(first, claimed);
    return problem_of([&] { safetensors_json_size(first, file_size); });
}

}  // namespace

TEST_CASE("a safetensors file is laid out as its format says", "[trainer]")
{
    const std::vector<float> a{1, 2, 3, 4, 5, 6};
    const std::vector<float> b{7};
    const std::string file = written({{"b", {}, b}, {"a", {2, 3}, a}});
    const std::string json = R"({"__metadata__":{"format":"pt"},)"
                             R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                             R"("b":{"dtype":"F32","shape":[],"data_offsets":[24,28]}})";
    const std::size_t padded = (json.size() + 7) / 8 * 8;
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    CHECK(length == padded);
    CHECK(file.substr(8, padded) == json + std::string(padded - json.size(), ' '));
    REQUIRE(file.size() == 8 + padded + 28);
    CHECK(std::memcmp(file.data() + 8 + padded, a.data(), 24) == 0);
    CHECK(std::memcmp(file.data() + 8 + padded + 24, b.data(), 4) == 0);
}

TEST_CASE("what was written to a safetensors file is read back", "[trainer]")
{
    const scratch_folder folder;
    const std::vector<float> a{1, -2, 3.5f};
    const std::vector<float> m(6);
    const std::string path =
        folder.file("x.safetensors", written({{"a", {3}, a}, {"m", {2, 3}, m}, {"none", {0}, {}}}));
    const safetensors_file file(path);
    CHECK(file.header().entries.size() == 3);
    file.expect("a", {3});
    std::vector<float> back(3);
    file.read("a", back);
    CHECK(back == a);
    CHECK(problem_of([&] {
              file.expect("a", {1, 3});
          }) == path + ": the tensor a is 3, but the model needs 1 x 3");
    CHECK(problem_of([&] {
              safetensors_file(path).expect("m", {3, 2});
          }) == path + ": the tensor m is 2 x 3, but the model needs 3 x 2: it is transposed");
    CHECK(problem_of([&] { file.expect("b", {3}); }) == path + ": the tensor b is missing");
}

TEST_CASE("every element type of safetensors has its size", "[trainer]")
{
    const auto accepted = [](const std::string& type, int bits) {
        const int size = 8 * bits / 8;
        const std::string json = R"({"t":{"dtype":")" + type +
                                 R"(","shape":[2,4],"data_offsets":[0,)" + std::to_string(size) +
                                 "]}}";
        return fault(json, static_cast<std::uint64_t>(size)).empty();
    };
    CHECK(accepted("F4", 4));
    for (const char* type : {"F6_E2M3", "F6_E3M2"}) CHECK(accepted(type, 6));
    for (const char* type :
         {"BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})
        CHECK(accepted(type, 8));
    for (const char* type : {"I16", "U16", "F16", "BF16"}) CHECK(accepted(type, 16));
    for (const char* type : {"I32", "U32", "F32"}) CHECK(accepted(type, 32));
    for (const char* type : {"F64", "C64", "I64", "U64"}) CHECK(accepted(type, 64));
    CHECK(mentions(fault(R"({"t":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2),
                   "'t' ends within a byte"));
}

TEST_CASE("a type that this program does not read is told from a file that is unsound", "[trainer]")
{
    CHECK(fault(R"({"t":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4) ==
          "the tensor 't' is of the type 'F31', which this program does not read");
    const scratch_folder folder;
    const std::string json = R"({"t":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[0,2]}})";
    std::string length(8, '\0');
    length[0] = static_cast<char>(json.size());
    const std::string path = folder.file("x.safetensors", length + json + "ab");
    const safetensors_file file(path);
    CHECK(problem_of([&] { file.expect("t", {2}); }) ==
          path +
              ": the tensor t is in F8_E8M0, a type that this program does not read: convert it "
              "to F32");
}

TEST_CASE("halves are read as the floats that they are", "[trainer]")
{
    const scratch_folder folder;
    const std::string json = R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},)"
                             R"("h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})";
    std::string length(8, '\0');
    length[0] = static_cast<char>(json.size());
    const std::string path = folder.file(
        "x.safetensors", length + json + std::string("\x00\x3e\x00\xc0\xc0\x3f\x00\xc0", 8));
    const safetensors_file file(path);
    for (const char* name : {"h", "b"}) {
        file.expect(name, {2});
        std::vector<float> values(2);
        file.read(name, values);
        CHECK(values == std::vector<float>{1.5f, -2});
    }
}

TEST_CASE("a hostile length is refused before anything is allocated", "[trainer]")
{
    CHECK(mentions(size_fault(100'000'001, 1'000'000'000), "more than is allowed"));
    CHECK(mentions(size_fault(~std::uint64_t{0}, 1'000'000'000), "more than is allowed"));
    CHECK(mentions(size_fault(93, 100), "ends within its header"));
    CHECK(size_fault(92, 100).empty());
    CHECK(mentions(size_fault(0, 7), "shorter than 8 bytes"));
}

TEST_CASE("a header without order is refused with its fault", "[trainer]")
{
    CHECK(fault("{}", 0).empty());
    CHECK(fault("{}   ", 0).empty());
    CHECK(fault(R"({"__metadata__":{"a":"b"}})", 0).empty());
    CHECK(mentions(fault("", 0), "does not begin with '{'"));
    CHECK(mentions(fault(" {}", 0), "does not begin with '{'"));
    CHECK(mentions(fault("[]", 0), "does not begin with '{'"));
    CHECK(mentions(fault("{} x", 0), "stops being JSON"));
    CHECK(mentions(fault("{\"a", 0), "stops being JSON"));
    CHECK(mentions(fault(R"({"a":1})", 0), "not a table of tensors"));
    CHECK(mentions(fault(R"({"a":[]})", 0), "not a table of tensors"));
    CHECK(mentions(fault(R"({"__metadata__":{"a":1}})", 0), "not a table of tensors"));
    CHECK(mentions(fault(R"({"__metadata__":{"a":{}}})", 0), "not a table of tensors"));
    CHECK(mentions(fault(R"({"__metadata__":{},"__metadata__":{}})", 0), "appears twice"));
    CHECK(mentions(fault("{\"a\":" + std::string(100'000, '['), 0), "not a table of tensors"));
}

TEST_CASE("a tensor that is described wrongly is refused with its fault", "[trainer]")
{
    const auto one = [](const std::string& fields) { return R"({"t":{)" + fields + "}}"; };
    const std::string type = R"("dtype":"F32")";
    const std::string shape = R"("shape":[2])";
    const std::string place = R"("data_offsets":[0,8])";
    CHECK(fault(one(type + "," + shape + "," + place), 8).empty());
    CHECK(fault(one(place + "," + shape + "," + type), 8).empty());
    for (const std::string& fields :
         {type + "," + shape, shape + "," + place, type + "," + place, std::string(),
          type + "," + shape + R"(,"data_offsets":[0])",
          type + "," + shape + R"(,"data_offsets":[0,4,8])",
          type + "," + shape + R"(,"data_offsets":8)", type + R"(,"shape":[-2],)" + place,
          type + R"(,"shape":[2.0],)" + place, type + R"(,"shape":[[2]],)" + place,
          type + R"(,"shape":["2"],)" + place, type + R"(,"shape":[null],)" + place,
          type + R"(,"shape":[99999999999999999999],)" + place,
          R"("dtype":["F32"],)" + shape + "," + place, R"("dtype":{},)" + shape + "," + place})
        CHECK(mentions(fault(one(fields), 8), "'t' is not described as it should be"));
    CHECK(mentions(fault(one(type + "," + type + "," + place), 8), "'t' has 'dtype' twice"));
    CHECK(mentions(fault(one(type + R"(,"x":1)"), 8), "unknown field 'x'"));
    CHECK(mentions(fault(one(type + R"(,"shape":[4294967296,4294967296,2],)" + place), 8),
                   "too large to exist"));
    CHECK(mentions(fault(one(type + R"(,"shape":[3],)" + place), 8), "size of its shape"));
    std::string many = R"("shape":[1)";
    for (int i = 0; i < 100; ++i) many += ",1";
    CHECK(mentions(fault(one(type + "," + many + "]," + place), 8), "not described"));
}

TEST_CASE("data with holes, overlap or a wrong end is refused with its fault", "[trainer]")
{
    const auto two = [](const std::string& a, const std::string& b) {
        return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
    };
    CHECK(fault(two("[0,4]", "[4,8]"), 8).empty());
    CHECK(fault(two("[4,8]", "[0,4]"), 8).empty());
    CHECK(mentions(fault(two("[0,4]", "[5,9]"), 9), "does not follow"));
    CHECK(mentions(fault(two("[0,4]", "[3,7]"), 7), "does not follow"));
    CHECK(mentions(fault(two("[0,4]", "[0,4]"), 4), "does not follow"));
    CHECK(mentions(fault(two("[1,5]", "[5,9]"), 9), "does not follow"));
    CHECK(mentions(fault(two("[0,4]", "[4,8]"), 7), "outside the file"));
    CHECK(mentions(fault(two("[0,4]", "[8,4]"), 8), "outside the file"));
    CHECK(mentions(fault(two("[0,4]", "[4,18446744073709551615]"), 8), "outside the file"));
    CHECK(mentions(fault(two("[0,4]", "[4,8]"), 9), "1 bytes at its end belong to no tensor"));
    CHECK(mentions(fault(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                         R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                         0),
                   "'a' appears twice"));
}

TEST_CASE("a safetensors file that ends early is refused by name", "[trainer]")
{
    const scratch_folder folder;
    const std::vector<float> a{1, 2, 3};
    const std::string whole = written({{"a", {3}, a}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string path = folder.file("x.safetensors", whole.substr(0, size));
        CHECK(mentions(problem_of([&] { safetensors_file file(path); }), path));
    }
}
