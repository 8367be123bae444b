#include <trainer/gpt2_config.hpp>

#include "support.hpp"

#include <trainer/digest.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace papilio::example;

TEST_CASE("the presets have the sizes that GPT-2's family has", "[trainer]")
{
    CHECK(parameter_count(preset("demo")) == 842'496);
    CHECK(parameter_count(preset("gpt2-124m")) == 124'439'808);
    CHECK(parameter_count(preset("gpt2-250m")) == 254'053'376);
}

TEST_CASE("the parameters fill the flat buffer without gaps", "[trainer]")
{
    std::size_t at = 0;
    for (const parameter& p : layout(preset("gpt2-124m"))) {
        std::size_t size = 1;
        for (const std::size_t extent : p.shape) size *= extent;
        CHECK(p.offset == at);
        CHECK(p.size == size);
        at += size;
    }
    CHECK(at == parameter_count(preset("gpt2-124m")));
}

TEST_CASE("a model that cannot exist is refused with its reason", "[trainer]")
{
    CHECK(mentions(problem_of([] { preset("gpt5"); }), "choose demo, gpt2-124m or gpt2-250m"));
    gpt2_config config;
    config.heads = 3;
    CHECK(mentions(problem_of([&] { check(config); }), "128 is none of 3"));
    config = {.layers = 0};
    CHECK(mentions(problem_of([&] { check(config); }), "layers must lie between 1 and 1024"));
    config = {.vocabulary = std::size_t{1} << 60};
    CHECK(mentions(problem_of([&] { layout(config); }), "vocabulary"));
}

TEST_CASE("the first weights are the same bits on every machine", "[trainer]")
{
    std::vector<float> flat(parameter_count(preset("demo")));
    initialise(preset("demo"), 1, flat);
    CHECK(sha256_hex(std::as_bytes(std::span(flat))) ==
          "7f95c65d444a4e5b0ddc61295f4e30695c3317ed0b88aa21d8e3827a57eb6458");
}

TEST_CASE("the first weights spread as GPT-2's do", "[trainer]")
{
    const gpt2_config config = preset("demo");
    std::vector<float> flat(parameter_count(config));
    initialise(config, 3, flat);
    for (const parameter& p : layout(config)) {
        double sum = 0;
        double squares = 0;
        for (const float value : std::span(flat).subspan(p.offset, p.size)) {
            sum += value;
            squares += static_cast<double>(value) * value;
        }
        const double n = static_cast<double>(p.size);
        const double deviation = std::sqrt(squares / n);
        INFO(p.name);
        if (p.name.ends_with("bias"))
            CHECK(squares == 0);
        else if (p.name.find(".ln_") != std::string::npos)
            CHECK((sum == n && squares == n));
        else if (p.name.ends_with("c_proj.weight"))
            CHECK(deviation == Approx(0.02 / std::sqrt(8.0)).epsilon(0.03));
        else
            CHECK(deviation == Approx(0.02).epsilon(0.03));
    }
}
