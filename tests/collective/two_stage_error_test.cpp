// What a lossy codec costs a whole all-reduce: it rounds each contribution, whose errors average
// out, and the result once more, whatever the number of peers.

#include <papilio/collective/all_reduce.hpp>

#include "contract/codec_contract.hpp"

#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/op/mean.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <cstring>

using namespace papilio;
using codec_testing::relative_error;
using codec_testing::truly_normal;

namespace {

using vectors = std::vector<std::vector<float>>;

constexpr std::size_t elements = 40'960;

/// Normal numbers of variance 1, of which a share `alike` is common to all peers.
vectors correlated(std::size_t peers, double alike)
{
    papilio::random numbers(hash(peers));
    vectors data(peers, std::vector<float>(elements));
    for (std::size_t i = 0; i < elements; ++i) {
        const double common = std::sqrt(alike) * truly_normal(numbers);
        for (auto& mine : data)
            mine[i] = static_cast<float>(common + std::sqrt(1 - alike) * truly_normal(numbers));
    }
    return data;
}

/// The squared error of the mean over its squares. All peers must hold the same bytes.
template <class Codec>
double error_of_mean(const vectors& in, Codec codec)
{
    test::sim_cluster cluster(static_cast<int>(in.size()));
    vectors out(in.size(), std::vector<float>(elements));
    cluster.run([&](auto& net) -> task<> {
        const auto rank = static_cast<std::size_t>(net.rank());
        co_await all_reduce(net, in[rank], out[rank], mean{}, codec);
    });
    for (const auto& mine : out)
        REQUIRE(std::memcmp(mine.data(), out[0].data(), elements * sizeof(float)) == 0);
    double error = 0, square = 0;
    for (std::size_t i = 0; i < elements; ++i) {
        double exact = 0;
        for (const auto& version : in) exact += static_cast<double>(version[i]);
        exact /= static_cast<double>(in.size());
        error += std::pow(static_cast<double>(out[0][i]) - exact, 2);
        square += exact * exact;
    }
    return error / square;
}

/// By the errors of both ways, each for itself.
double predicted(double to, double back, double peers, double alike)
{
    return to * (1 / peers) / (alike + (1 - alike) / peers) + back;
}

}  // namespace

TEST_CASE("an all-reduce by int8b errs twice as much as int8b, whatever the number of peers")
{
    for (std::size_t peers = 2; peers <= 32; ++peers) {
        const auto in = correlated(peers, 0);
        const double once = relative_error(int8b{}, in[0]);
        CAPTURE(peers);
        CHECK(error_of_mean(in, int8b{}) == Approx(2 * once).epsilon(0.1));
    }
}

TEST_CASE("where peers are alike, only the way back counts, and there bits are better spent")
{
    for (const std::size_t peers : {2u, 5u, 16u}) {
        for (const double alike : {0.3, 0.9}) {
            const auto in = correlated(peers, alike);
            const auto n = static_cast<double>(peers);
            const double fine = relative_error(int8b{}, in[0]);
            const double coarse = relative_error(int4b<32>{}, in[0]);
            CAPTURE(peers, alike);
            CHECK(error_of_mean(in, int8b{}) ==
                  Approx(predicted(fine, fine, n, alike)).epsilon(0.1));
            if (alike > 0.5) continue;  // coarse codes of numbers so alike err alike, too
            CHECK(error_of_mean(in, int4b<32>{}) ==
                  Approx(predicted(coarse, coarse, n, alike)).epsilon(0.1));
            CHECK(error_of_mean(in, two_way{int4b<32>{}, int8b{}}) ==
                  Approx(predicted(coarse, fine, n, alike)).epsilon(0.1));
        }
    }
}
