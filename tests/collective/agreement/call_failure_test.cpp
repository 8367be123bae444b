#include <papilio/collective/agreement/call_failure.hpp>

#include <support/collected_log.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <new>

using namespace papilio;
using papilio::detail::call_failure;
using test::call_error_of;

namespace {

constexpr int rank = 3;

template <class Thrown>
call_failure failure_of(const Thrown& thrown, phase where = phase::result)
{
    return {std::make_exception_ptr(thrown), rank, where};
}

const call_error blamed(errc::disconnected, 5, 2, phase::contribution, "its link was cut");

}  // namespace

TEST_CASE("a failure that has been blamed on a peer stays that peer's")
{
    const auto error = call_error_of([] { failure_of(blamed).rethrow(false); });
    REQUIRE(error);
    CHECK(error->code() == errc::disconnected);
    CHECK(error->culprit() == 5);
    CHECK(error->reporter() == 2);
    CHECK(error->where() == phase::contribution);
    CHECK(error->detail() == "its link was cut");
}

TEST_CASE("a failure that nobody has been blamed for is this peer's own")
{
    const std::system_error fault(errc::not_finite, "element 7");
    const auto error = call_error_of([&] { failure_of(fault).rethrow(false); });
    REQUIRE(error);
    CHECK(error->code() == errc::not_finite);
    CHECK(error->culprit() == rank);
    CHECK(error->reporter() == rank);
    CHECK(error->where() == phase::result);
    CHECK(error->detail() == "element 7");
}

TEST_CASE("an error of the operating system keeps its code")
{
    const std::system_error fault(std::make_error_code(std::errc::no_space_on_device));
    const auto error = call_error_of([&] { failure_of(fault).rethrow(false); });
    REQUIRE(error);
    CHECK(error->code() == std::errc::no_space_on_device);
}

TEST_CASE("an outcome that is unknown is told as such, with the culprit that is known")
{
    const auto error = call_error_of([] { failure_of(blamed).rethrow(true); });
    REQUIRE(error);
    CHECK(error->code() == errc::outcome_unknown);
    CHECK(error->culprit() == 5);
    CHECK(error->reporter() == rank);
    CHECK(error->where() == phase::vote);
    CHECK(error->detail() == "its link was cut");
}

TEST_CASE("an exception that nobody expects reaches the caller as it is")
{
    const bool outcome_unknown = GENERATE(false, true);
    const auto failure = failure_of(std::bad_alloc());
    CHECK_THROWS_AS(failure.rethrow(outcome_unknown), std::bad_alloc);
    const call_failure number(std::make_exception_ptr(42), rank, phase::vote);
    CHECK_THROWS_AS(number.rethrow(outcome_unknown), int);
}

TEST_CASE("the others are told of an exception that nobody expects as of a peer that failed")
{
    const auto failure = failure_of(std::bad_alloc(), phase::contribution);
    CHECK(failure.error().code() == errc::peer_failed);
    CHECK(failure.error().culprit() == rank);
    CHECK(failure.error().reporter() == rank);
    CHECK(failure.error().where() == phase::contribution);
}

TEST_CASE("a failure is logged with the call and who failed where and why")
{
    const test::collected_log log;
    failure_of(blamed).write_to_log(17);
    REQUIRE(log.lines().size() == 1);
    CHECK(log.lines().front() ==
          "papilio: warning: call failed call=17 rank=3 culprit=5 phase=contribution "
          "why=\"its link was cut\"");
}
