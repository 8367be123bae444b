#include <chaos/end_request.hpp>

#include <catch2/catch.hpp>

using namespace papilio::example;
using chaos::end_request;

TEST_CASE("nothing explains the end of a process that nobody has asked for it", "[chaos]")
{
    const end_request none;
    CHECK_FALSE(none.any());
    for (const int code : {0, 1, 137, 143}) CHECK_FALSE(none.explains(code));
}

TEST_CASE("a process that is told to end may end in good order, and with nothing else", "[chaos]")
{
    end_request told;
    told.add(SIGTERM);
    CHECK(told.any());
    CHECK(told.explains(exit_ok));
    CHECK(told.explains(exit_by_signal(SIGTERM)));
    for (const int code : {exit_failure + 0, exit_gave_up + 0, exit_by_signal(SIGABRT),
                           exit_by_signal(SIGSEGV), exit_by_signal(SIGKILL)})
        CHECK_FALSE(told.explains(code));
}

TEST_CASE("a process that is killed has not ended in any other way", "[chaos]")
{
    end_request killed;
    killed.add(SIGKILL);
    CHECK(killed.any());
    CHECK(killed.explains(exit_by_signal(SIGKILL)));
    for (const int code : {exit_ok + 0, exit_failure + 0, exit_by_signal(SIGTERM)})
        CHECK_FALSE(killed.explains(code));
    killed.add(SIGTERM);  // whichever came first
    CHECK(killed.explains(exit_ok));
    CHECK(killed.explains(exit_by_signal(SIGKILL)));
}
