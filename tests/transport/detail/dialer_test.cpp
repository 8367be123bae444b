#include <papilio/transport/detail/dialer.hpp>

#include <papilio/sim/world.hpp>

#include "support/memory_stream.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;

namespace {

/// Refuses so many attempts before it accepts one. A peer without a name cannot be dialled.
struct fake_medium final : pa::addressed_medium<std::string> {
    bool reaches(const std::string& /*from*/, const std::string& to) const override
    {
        return !to.empty();
    }
    std::string text(const std::string& at) const override { return at; }
    void listen_at(const std::string& /*own*/, handshake /*authenticate*/) override {}
    std::string local() const override { return own; }
    pa::task<pa::dialled> dial_at(std::string /*to*/, pa::wire::hello h) override
    {
        last = h;
        if (++attempts <= refusals) throw std::system_error(refusal);
        if (attempts <= refusals + surprises) throw std::runtime_error("a surprise");
        auto ends = make_memory_streams();
        other_end = std::move(ends.second);
        co_return pa::dialled{std::move(ends.first), process};
    }

    std::string own = "here";
    int refusals = 0;
    int surprises = 0;
    std::error_code refusal = pa::errc::refused;
    int attempts = 0;
    std::uint64_t process = 11;
    pa::wire::hello last;
    std::unique_ptr<pa::byte_stream> other_end;
};

struct dialling_peer {
    pa::sim::world world;
    pa::mesh_options options{.group = 7};
    fake_medium medium;
    pa::mailbox inbox;
    std::shared_ptr<pa::detail::peer_link> link = std::make_shared<pa::detail::peer_link>(
        world, inbox, 0, 1, options, pa::detail::link_identity(22));
    pa::detail::dialer dialer{world, medium, 2, options};
};

}  // namespace

TEST_CASE("a dialer tries until the peer accepts, and says who it is")
{
    dialling_peer p;
    p.medium.refusals = 3;
    p.medium.set_address(1, "there");
    pa::sync_wait(p.world, p.dialer.connect(p.link));
    CHECK(p.link->connected());
    CHECK(p.medium.attempts == 4);
    CHECK(p.world.now() >= pa::time_point{70ms});  // pauses of 10, 20 and 40 ms
    CHECK(p.medium.last ==
          pa::wire::hello{.group = 7, .from = 2, .to = 1, .generation = 4, .process = 22});
    const auto late = p.dialer.no_link(1);
    CHECK(late.code() == pa::errc::timed_out);
    CHECK_THAT(late.what(), Catch::StartsWith("no connection with peer 1 at there: refused by the "
                                              "other side"));
}

TEST_CASE("a dialer that lacks descriptors says so, and not that the peer was late")
{
    dialling_peer p;
    p.medium.refusals = 1;
    p.medium.refusal = std::make_error_code(std::errc::too_many_files_open);
    p.medium.set_address(1, "there");
    pa::sync_wait(p.world, p.dialer.connect(p.link));
    CHECK(p.dialer.no_link(1).code() == std::errc::too_many_files_open);
}

TEST_CASE("a dialer tries again whatever its medium throws")
{
    dialling_peer p;
    p.medium.surprises = 2;
    p.medium.set_address(1, "there");
    pa::sync_wait(p.world, p.dialer.connect(p.link));
    CHECK(p.link->connected());
    CHECK_THAT(p.dialer.no_link(1).what(), Catch::Contains("a surprise"));
}

TEST_CASE("the higher rank dials, unless only the lower one can")
{
    dialling_peer p;
    pa::detail::dialer lower(p.world, p.medium, 0, p.options);
    p.medium.set_address(1, "there");
    auto waiting = lower.connect(p.link);
    waiting.start(p.world);
    CHECK(p.medium.attempts == 0);

    p.medium.own = "";
    pa::sync_wait(p.world, lower.connect(p.link));
    CHECK(p.medium.attempts == 1);
    while (!waiting.finished()) REQUIRE(p.world.run_one());
}

TEST_CASE("a peer that cannot be dialled is waited for, and has no address to name")
{
    dialling_peer p;
    p.medium.set_address(1, "");
    auto waiting = p.dialer.connect(p.link);
    waiting.start(p.world);
    CHECK(p.medium.attempts == 0);
    CHECK_THAT(p.dialer.no_link(1).what(), Catch::StartsWith("no connection with peer 1: timed"));
    p.link->fail(pa::errc::silent);
    while (!waiting.finished()) REQUIRE(p.world.run_one());
    CHECK(p.link->error() == pa::errc::silent);
}
