#include <papilio/session/join_retries.hpp>

#include <catch2/catch.hpp>

using papilio::join_retries;
using namespace std::chrono_literals;

TEST_CASE("tries to join end when the limit has passed since the first refusal", "[session]")
{
    std::stop_source stop;
    stop.request_stop();  // so that no wait takes time
    join_retries retries;
    CHECK_FALSE(retries.any());
    CHECK(retries.wait(1h, stop.get_token()));
    CHECK(retries.any());
    // The limit counts from the first refusal, whatever later ones say.
    CHECK(retries.wait(-1h, stop.get_token()));

    retries.reset();
    CHECK_FALSE(retries.any());
    CHECK_FALSE(retries.wait(-1h, stop.get_token()));
    CHECK_FALSE(retries.wait(1h, stop.get_token()));
}
