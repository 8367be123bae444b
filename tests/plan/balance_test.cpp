#include <papilio/plan/balance.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <numeric>

using namespace papilio;

namespace {

using roles = std::vector<role>;

std::vector<access_rate> symmetric(const std::vector<double>& rates)
{
    std::vector<access_rate> result;
    for (const double rate : rates) result.push_back({rate, rate});
    return result;
}

/// Seconds per byte of data until the last link of a direct all-reduce falls quiet.
double makespan(const std::vector<access_rate>& rates, const roles& who, std::vector<double> shares)
{
    const double whole = std::accumulate(shares.begin(), shares.end(), 0.0);
    double n = 0, longest = 0;
    for (const auto r : who) n += contributes(r) ? 1 : 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const double w = shares[i] / whole;
        const double moved = contributes(who[i]) ? 1 + (n - 2) * w : n * w;
        longest = std::max(longest, moved / std::min(rates[i].up, rates[i].down));
    }
    return longest;
}

}  // namespace

TEST_CASE("equal links are given equal shares, which need the textbook's time")
{
    for (std::size_t n = 2; n <= 9; ++n) {
        const auto rates = symmetric(std::vector<double>(n, 5.0));
        const auto shares = balanced_shares(rates);
        for (const double s : shares) CHECK(s == Approx(shares[0]));
        const double textbook = 2.0 * (static_cast<double>(n) - 1) / static_cast<double>(n) / 5;
        CHECK(makespan(rates, roles(n, role::full), shares) == Approx(textbook));
    }
}

TEST_CASE("a slow peer owns nothing, and the others make up for it")
{
    const auto shares = balanced_shares(symmetric({400, 400, 400, 40}));
    CHECK(shares[3] == 0);
    CHECK(shares[0] == Approx(1.0 / 3));
    // The time is the slow peer's: its own data, once each way.
    CHECK(makespan(symmetric({400, 400, 400, 40}), roles(4, role::full), shares) ==
          Approx(1.0 / 40));
}

TEST_CASE("unequal links end at the same time, at the bound for their sum")
{
    const auto rates = symmetric({400, 200, 100, 50});
    const auto shares = balanced_shares(rates);
    CHECK(makespan(rates, roles(4, role::full), shares) == Approx(1.0 / 50));
    const auto fast = symmetric({400, 300, 250, 200});
    CHECK(makespan(fast, roles(4, role::full), balanced_shares(fast)) == Approx(6.0 / 1150));
}

TEST_CASE("the slower direction of a link counts")
{
    const std::vector<access_rate> rates{{400, 400}, {400, 400}, {40, 400}, {400, 400}};
    CHECK(balanced_shares(rates)[2] == 0);
}

TEST_CASE("no other shares are better, whatever the roles")
{
    const auto seed = GENERATE(range(1u, 40u));
    papilio::random numbers(seed);
    const auto n = 3 + numbers.below(6);
    std::vector<access_rate> rates;
    roles who;
    std::size_t contributors = 0;
    for (std::size_t i = 0; i < n; ++i) {
        rates.push_back({1 + 99 * numbers.uniform(), 1 + 99 * numbers.uniform()});
        const role kinds[] = {role::full, role::full, role::client, role::auxiliary};
        who.push_back(i < 2 ? role::full : kinds[numbers.below(4)]);
        contributors += contributes(who.back()) ? 1 : 0;
    }
    const auto shares = balanced_shares(rates, who);
    const double whole = std::accumulate(shares.begin(), shares.end(), 0.0);
    if (contributors > 2) CHECK(whole == Approx(1));
    const double best = makespan(rates, who, shares);
    for (int i = 0; i < 2000; ++i) {
        auto other = shares;
        for (std::size_t k = 0; k < n; ++k)
            if (reduces(who[k]))
                other[k] = std::max(0.0, other[k] + 0.3 * (numbers.uniform() - 0.5));
        if (std::accumulate(other.begin(), other.end(), 0.0) > 0)
            CHECK(makespan(rates, who, other) >= best * 0.999999);
    }
}

TEST_CASE("where only auxiliaries reduce, they share as their links allow")
{
    const auto shares =
        balanced_shares(symmetric({10, 10, 30, 60}),
                        roles{role::client, role::client, role::auxiliary, role::auxiliary});
    CHECK(shares == std::vector<double>{0, 0, 30, 60});
}

TEST_CASE("rates that are none are refused")
{
    CHECK_THROWS_WITH(balanced_shares(symmetric({1, 0})),
                      Catch::Contains("the lower rate of peer 1 is above 0: it is 0"));
    CHECK_THROWS_WITH(balanced_shares(symmetric({1, 2}), roles{role::full}),
                      Catch::Contains("balanced_shares: roles has 1 entries for a group of 2"));
}

TEST_CASE("the time of equal parts is the slowest peer's, at the textbook's bytes")
{
    CHECK(direct_seconds_per_byte(symmetric({400, 200, 100, 50}), {}, {}) == Approx(1.5 / 50));
    CHECK(direct_seconds_per_byte(symmetric({8, 4}), {}, {}) == Approx(1.0 / 4));
    const auto rates = symmetric({400, 300, 200, 10});
    const std::vector<double> uneven{5, 1, 2, 0};
    CHECK(direct_seconds_per_byte(rates, {}, uneven) ==
          Approx(makespan(rates, roles(4, role::full), uneven)));
    // Two clients and an auxiliary that owns all: each version in, the result out to each.
    const roles who{role::client, role::client, role::auxiliary};
    CHECK(direct_seconds_per_byte(symmetric({10, 10, 10}), who, {}) == Approx(2.0 / 10));
}

TEST_CASE("shares that save little are not worth while")
{
    CHECK(worthwhile_shares(symmetric({100, 100, 100})).empty());
    CHECK(worthwhile_shares(symmetric({100, 98, 103, 101})).empty());
    CHECK(worthwhile_shares(symmetric({100, 1})).empty());  // two send and receive all, anyhow
    const auto rates = symmetric({400, 200, 100, 50});
    CHECK(worthwhile_shares(rates) == balanced_shares(rates));
}
