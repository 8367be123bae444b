#include <papilio/async/loop.hpp>
#include <papilio/async/thread_loop.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// Calls a function when it fires.
struct call final : pa::event {
    explicit call(std::function<void()> f) : what(std::move(f)) {}
    void fire() override { what(); }
    std::function<void()> what;
};

/// A loop without input that counts how often it is polled, and how often waited for.
class watched_loop final : public pa::loop {
public:
    ~watched_loop() override { drop_spawned(); }
    pa::time_point now() const noexcept override { return now_; }
    int polls = 0;
    int waits = 0;

private:
    bool idle(pa::time_point until) override
    {
        ++(until == pa::time_point::min() ? polls : waits);
        if (until == pa::time_point::max()) return false;
        now_ = std::max(now_, until);
        return true;
    }
    pa::time_point now_{};
};

}  // namespace

TEST_CASE("events fire in the order in which they were posted")
{
    watched_loop loop;
    std::vector<int> order;
    call a([&] { order.push_back(1); });
    call b([&] { order.push_back(2); });
    call c([&] { order.push_back(3); });
    loop.post(c);
    loop.post(a);
    loop.post(b);
    pa::test::run_dry(loop);
    CHECK(order == std::vector{3, 1, 2});
}

TEST_CASE("timed events fire in the order of their times, then of their posting")
{
    watched_loop loop;
    std::vector<int> order;
    std::vector<pa::time_point> times;
    const auto note = [&](int n) {
        order.push_back(n);
        times.push_back(loop.now());
    };
    call a([&] { note(1); });
    call b([&] { note(2); });
    call c([&] { note(3); });
    loop.post_at(a, pa::time_point(20ms));
    loop.post_at(b, pa::time_point(10ms));
    loop.post_at(c, pa::time_point(20ms));
    pa::test::run_dry(loop);
    CHECK(order == std::vector{2, 1, 3});
    CHECK(times == std::vector{pa::time_point(10ms), pa::time_point(20ms), pa::time_point(20ms)});
}

TEST_CASE("an event that is posted again is moved, not doubled")
{
    watched_loop loop;
    std::vector<int> order;
    call a([&] { order.push_back(1); });
    call b([&] { order.push_back(2); });
    loop.post(a);
    loop.post(b);
    loop.post(a);
    pa::test::run_dry(loop);
    CHECK(order == std::vector{2, 1});

    loop.post_at(a, pa::time_point(1s));
    loop.post_at(a, pa::time_point(2s));
    pa::test::run_dry(loop);
    CHECK(order == std::vector{2, 1, 1});
    CHECK(loop.now() == pa::time_point(2s));

    loop.post_at(a, pa::time_point(3s));
    loop.post(a);
    pa::test::run_dry(loop);
    CHECK(order == std::vector{2, 1, 1, 1});
    CHECK(loop.now() == pa::time_point(2s));
}

TEST_CASE("an event that is destroyed or cancelled never fires")
{
    watched_loop loop;
    int fired = 0;
    const auto count = [&] { ++fired; };
    {
        call ready(count);
        call timed(count);
        call remote(count);
        loop.post(ready);
        loop.post_at(timed, pa::time_point(1s));
        loop.post_from_any_thread(remote);
    }
    call cancelled(count);
    loop.post_from_any_thread(cancelled);
    cancelled.cancel();
    cancelled.cancel();
    pa::test::run_dry(loop);
    CHECK(fired == 0);
}

TEST_CASE("an event may destroy itself, and others that are due")
{
    watched_loop loop;
    int fired = 0;
    std::unique_ptr<call> other;
    std::unique_ptr<call> self = std::make_unique<call>([&] {
        ++fired;
        other.reset();
        self.reset();
    });
    other = std::make_unique<call>([&] { ++fired; });
    loop.post(*self);
    loop.post(*other);
    pa::test::run_dry(loop);
    CHECK(fired == 1);
}

TEST_CASE("events outlive the loop that they were posted on")
{
    int fired = 0;
    call ready([&] { ++fired; });
    call timed([&] { ++fired; });
    call remote([&] { ++fired; });
    {
        watched_loop loop;
        loop.post(ready);
        loop.post_at(timed, pa::time_point(1s));
        loop.post_from_any_thread(remote);
    }
    watched_loop next;
    next.post(ready);
    pa::test::run_dry(next);
    CHECK(fired == 1);
}

TEST_CASE("a loop without events says so, and goes on when there is one again")
{
    watched_loop loop;
    CHECK(!loop.run_one());
    int fired = 0;
    call a([&] { ++fired; });
    loop.post(a);
    CHECK(loop.run_one());
    CHECK(!loop.run_one());
    CHECK(fired == 1);
}

TEST_CASE("input is polled although events never cease")
{
    constexpr int events = 6400;
    watched_loop loop;
    std::function<void()> again;
    call endless([&] { again(); });

    SECTION("events that are ready")
    {
        again = [&] { loop.post(endless); };
    }
    SECTION("timed events that are due already")
    {
        again = [&] { loop.post_at(endless, loop.now()); };
    }
    SECTION("events posted as from another thread")
    {
        again = [&] { loop.post_from_any_thread(endless); };
    }
    loop.post(endless);
    for (int i = 0; i < events; ++i) loop.run_one();
    CHECK(loop.polls >= events / 100);
    CHECK(loop.polls <= events / 10);  // and not after every single event
    CHECK(loop.waits == 0);
}

TEST_CASE("timers and other threads' events fire although events never cease")
{
    watched_loop loop;
    call endless([&] { loop.post(endless); });
    bool timed = false;
    bool posted = false;
    call timer([&] { timed = true; });
    call remote([&] { posted = true; });
    loop.post(endless);
    for (int i = 0; i < 10; ++i) loop.run_one();
    loop.post_at(timer, loop.now());
    loop.post_from_any_thread(remote);
    for (int i = 0; i < 1000; ++i) loop.run_one();
    CHECK(timed);
    CHECK(posted);
}

TEST_CASE("events that other threads post fire on the loop's thread")
{
    constexpr int threads = 4;
    constexpr int each = 1000;
    pa::thread_loop loop;
    const auto here = std::this_thread::get_id();
    std::vector<std::vector<int>> fired(threads);
    bool elsewhere = false;
    std::vector<std::unique_ptr<call>> events;
    for (int i = 0; i < threads * each; ++i)
        events.push_back(std::make_unique<call>([&, i] {
            fired[static_cast<std::size_t>(i / each)].push_back(i);
            elsewhere |= std::this_thread::get_id() != here;
        }));

    loop.work_started();
    std::vector<std::jthread> posters;
    for (int t = 0; t < threads; ++t)
        posters.emplace_back([&, t] {
            for (int i = t * each; i < (t + 1) * each; ++i)
                loop.post_from_any_thread(*events[static_cast<std::size_t>(i)]);
        });
    const auto count = [&] {
        std::size_t sum = 0;
        for (const auto& f : fired) sum += f.size();
        return sum;
    };
    while (count() < threads * each) REQUIRE(loop.run_one());
    loop.work_finished();

    CHECK(!elsewhere);
    for (const auto& f : fired) CHECK(std::ranges::is_sorted(f));
    CHECK(!loop.run_one());
}

TEST_CASE("an event from another thread wakes a loop that waits")
{
    pa::thread_loop loop;
    bool fired = false;
    call remote([&] { fired = true; });
    loop.work_started();
    const std::jthread poster([&] { loop.post_from_any_thread(remote); });
    CHECK(loop.run_one());
    CHECK(fired);
    loop.work_finished();
}

TEST_CASE("a thread loop's timers wait for the clock")
{
    pa::thread_loop loop;
    const auto due = loop.now() + 2ms;
    bool in_time = false;
    call timer([&] { in_time = loop.now() >= due; });
    loop.post_at(timer, due);
    CHECK(loop.run_one());
    CHECK(in_time);
    CHECK(!loop.run_one());
}

TEST_CASE("an event from another thread wakes a thread loop that waits for a timer")
{
    pa::thread_loop loop;
    bool fired = false;
    call timer([] {});
    call remote([&] { fired = true; });
    loop.post_at(timer, loop.now() + 24h);
    const std::jthread poster([&] { loop.post_from_any_thread(remote); });
    CHECK(loop.run_one());
    CHECK(fired);
}
