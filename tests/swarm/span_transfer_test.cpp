#include <papilio/swarm/span_transfer.hpp>

#include <catch2/catch.hpp>

#include <set>

using papilio::detail::span_checksum;

TEST_CASE("a state's checksum tells its round, its chunks and their order", "[state]")
{
    const auto of = [](std::uint32_t round, std::initializer_list<std::uint64_t> chunks) {
        span_checksum sums(chunks.size());
        for (std::size_t i = chunks.size(); i-- > 0;) sums.set(i, *(chunks.begin() + i));
        return sums.value(round);
    };
    CHECK(of(1, {5, 6}) == of(1, {5, 6}));
    const std::set<std::uint64_t> all{of(1, {5, 6}), of(2, {5, 6}), of(1, {6, 5}),
                                      of(1, {5}),    of(1, {}),     of(1, {5, 6, 0})};
    CHECK(all.size() == 6);
}
