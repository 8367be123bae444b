#include <papilio/collective/agreement/result_digests.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <vector>

using papilio::detail::chunk_digest;
using papilio::detail::result_digests;
namespace pa = papilio;

namespace {

/// Whom peer 0 names, which holds result 7; -2: nobody is at fault.
int named(const std::vector<std::uint64_t>& others, std::size_t each_speaks_for = 1)
{
    result_digests all;
    all.add(7);
    int peer = 0;
    for (const auto digest : others) all.note(++peer, each_speaks_for, digest);
    const auto error = pa::test::call_error_of([&] { all.compare(0); });
    CHECK(all.differ() == error.has_value());
    return error ? error->culprit() : -2;
}

}  // namespace

TEST_CASE("the digest of a result does not depend on the order of its chunks")
{
    const std::vector<std::byte> a(100, std::byte{1}), b(100, std::byte{2});
    result_digests one, other, changed;
    one.add(chunk_digest({0, 10}, a));
    one.add(chunk_digest({10, 10}, b));
    other.add(chunk_digest({10, 10}, b));
    other.add(chunk_digest({0, 10}, a));
    changed.add(chunk_digest({0, 10}, b));
    changed.add(chunk_digest({10, 10}, a));
    CHECK(one.told(0) == other.told(0));
    CHECK(one.told(0) != changed.told(0));
    CHECK(chunk_digest({0, 10}, a) != chunk_digest({0, 10}, b));
    CHECK(chunk_digest({5, 0}, {}) == 0);
}

TEST_CASE("of different results that of the fewer is named, and none where there is no majority")
{
    CHECK(named({7, 7, 7}) == -2);
    CHECK(named({0, 0}) == -2);
    CHECK(named({7, 8}) == 2);
    CHECK(named({8, 8}) == 0);
    CHECK(named({8}) == -1);
    CHECK(named({8, 9}) == -1);
    CHECK(named({7, 0, 8}) == 3);
    CHECK(named({7, 8, 8, 7, 7}) == 2);
}

TEST_CASE("a vote counts for all that it speaks for")
{
    CHECK(named({8, 8, 7}, 2) == 0);
    CHECK(named({8, 7}, 3) == 1);
}

TEST_CASE("a peer without the result tells a later stage what it has heard")
{
    result_digests declines;
    CHECK(declines.told(1) == 0);
    declines.note(1, 1, 9);
    CHECK(declines.told(0) == 0);
    CHECK(declines.told(1) == 9);
}
