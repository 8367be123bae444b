#include <papilio/collective/measure/link_meter.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using papilio::bytes;
using papilio::duration;
using papilio::task;
using papilio::time_point;
using papilio::detail::link_meter;

namespace {

constexpr papilio::tag any{};
constexpr time_point call_begin{5s};

/// Its clock jumps to the next timer.
class manual_loop final : public papilio::loop {
public:
    ~manual_loop() override { drop_spawned(); }
    time_point now() const noexcept override { return now_; }

private:
    bool idle(time_point until) override
    {
        if (until == time_point::max()) return false;
        now_ = std::max(now_, until);
        return true;
    }

    time_point now_ = call_begin;
};

/// Three peers. Taking a message lasts `takes`; if it tells of deliveries, `delivered` by rank.
struct slow_transport {
    int rank() const { return 0; }
    int size() const { return 3; }
    task<> send(int, papilio::tag, bytes message)
    {
        taken += message.size();
        co_await papilio::sleep_for(takes);
    }
    task<std::size_t> recv(int, papilio::tag, papilio::mutable_bytes) { co_return 0; }
    std::optional<std::uint64_t> arrived(int peer)
    {
        if (!tells) return std::nullopt;
        return delivered[static_cast<std::size_t>(peer)];
    }

    duration takes{};
    bool tells = false;
    std::array<std::uint64_t, 3> delivered{};
    std::uint64_t taken = 0;
};

papilio::report told_by(const link_meter& meter)
{
    papilio::report r;
    meter.tell(r);
    return r;
}

const std::vector<std::byte> message(10'000);

task<> send_all(link_meter& meter, int peer, int count, std::size_t size = message.size())
{
    for (int i = 0; i < count; ++i) {
        co_await meter.send(peer, any, bytes(message).first(size));
    }
}

}  // namespace

TEST_CASE("what a transport takes is what its link carries, if it tells nothing of deliveries")
{
    manual_loop on;
    slow_transport net{.takes = 1ms};
    link_meter meter(papilio::any_transport(net), call_begin);
    sync_wait(on, send_all(meter, 1, 400));
    CHECK(told_by(meter).up.bytes_per_second == Approx(1e7).epsilon(0.001));
    CHECK(told_by(meter).up.busy == Approx(1).epsilon(0.001));
    CHECK(told_by(meter).down == papilio::flow{});
}

TEST_CASE("what has arrived counts where a transport tells it, however early it was taken")
{
    manual_loop on;
    slow_transport net{.takes = 100us, .tells = true};
    link_meter meter(papilio::any_transport(net), call_begin);
    sync_wait(on, [](slow_transport& wire, link_meter& m) -> task<> {
        for (int i = 0; i < 400; ++i) {
            co_await send_all(m, 1, 1);
            co_await papilio::sleep_for(2900us);
            wire.delivered[1] += 3000;  // a megabyte a second, a third of what is taken
        }
    }(net, meter));
    CHECK(net.taken == 4'000'000);
    CHECK(told_by(meter).up.bytes_per_second == Approx(1e6).epsilon(0.02));
}

TEST_CASE("what arrived before the call is not the call's")
{
    manual_loop on;
    slow_transport net{.tells = true, .delivered = {0, 1'000'000'000, 0}};
    link_meter meter(papilio::any_transport(net), call_begin);
    sync_wait(on, [](slow_transport& wire, link_meter& m) -> task<> {
        co_await papilio::sleep_for(600ms);  // idle
        for (int i = 0; i < 200; ++i) {
            co_await send_all(m, 1, 1);
            co_await papilio::sleep_for(3ms);
            wire.delivered[1] += 3000;
        }
    }(net, meter));
    CHECK(told_by(meter).up.bytes_per_second == Approx(1e6).epsilon(0.02));
    CHECK(told_by(meter).up.busy == Approx(0.5).epsilon(0.02));
}

TEST_CASE("what arrives is noted when messages come, though nothing more is sent")
{
    manual_loop on;
    slow_transport net{.tells = true};
    link_meter meter(papilio::any_transport(net), call_begin);
    sync_wait(on, [](slow_transport& wire, link_meter& m) -> task<> {
        co_await send_all(m, 1, 200);
        papilio::loop& here = co_await papilio::this_loop{};
        for (int i = 0; i < 200; ++i) {
            co_await papilio::sleep_for(3ms);
            wire.delivered[1] += 3000;
            m.received(4096, here.now());
        }
    }(net, meter));
    CHECK(told_by(meter).up.bytes_per_second == Approx(1e6).epsilon(0.02));
    CHECK(told_by(meter).down.bytes_per_second == Approx(4096 / 0.003).epsilon(0.02));
}

TEST_CASE("messages of less than 4 KiB say nothing of a link")
{
    const std::size_t size = GENERATE(4095, 4096);
    manual_loop on;
    slow_transport net{.takes = 1ms};
    link_meter meter(papilio::any_transport(net), call_begin);
    sync_wait(on, send_all(meter, 1, 400, size));
    for (int i = 1; i <= 400; ++i) meter.received(size, call_begin + i * 1ms);
    CHECK((told_by(meter).up == papilio::flow{}) == (size < 4096));
    CHECK((told_by(meter).down == papilio::flow{}) == (size < 4096));
}
