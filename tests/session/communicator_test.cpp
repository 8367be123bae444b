#include <papilio/session.hpp>
#include <papilio/session/communicator.hpp>

#include <catch2/catch.hpp>

#include "support/communicators.hpp"
#include "support/sanitized.hpp"
#include "support/thrown.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

// A future's exception is counted by atomics inside of libstdc++, which the sanitizer does not see:
// to it, whoever frees the exception races with who has read it in another thread.
// The second line is for destructors of exceptions that are entered by a tail call.
#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions()
{
    return "race:std::__exception_ptr::exception_ptr::_M_release\n"
           "race:std::__future_base::_Result*_M_destroy\n";
}
#endif

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

using floats = std::vector<float>;
using clock_type = std::chrono::steady_clock;

/// What the peer of rank 1 of 3 holds after every collective, by calls of either kind.
template <class Calls, class End>
std::vector<floats> results_of(int rank, const Calls& calls, const End& end)
{
    const auto r = static_cast<float>(rank);
    const floats in{r, r + 1, r + 2};
    const floats own{r};
    floats sums(3), in_place{r, 2 * r}, part(1), all(3), told{r};
    end(calls.all_reduce(in, sums, pa::sum{}));
    end(calls.all_reduce_in_place(in_place, pa::mean{}, {.timeout = 30s}));
    end(calls.reduce_scatter(in, part));
    end(calls.all_gather(own, all));
    end(calls.broadcast(told, 2));
    end(calls.barrier());
    return {sums, in_place, part, all, told};
}

std::size_t entries_of(const char* folder)
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

std::size_t resident_kib()
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmRSS:") {
            std::size_t kib = 0;
            status >> kib;
            return kib;
        }
    return 0;
}

}  // namespace

TEST_CASE("a communicator makes every collective, and gives its result or a future of it")
{
    const bool shares = GENERATE(true, false);
    std::vector<std::vector<floats>> now(3), later(3);
    pa::test::as_group(3,
                       [&](pa::communicator& group) {
                           const auto i = static_cast<std::size_t>(group.rank());
                           now[i] = results_of(group.rank(), group, [](const pa::report&) {});
                           later[i] = results_of(group.rank(), group.start(),
                                                 [](auto call) { call.get(); });
                       },
                       {.shared_memory = shares});
    for (std::size_t i = 0; i < 3; ++i) {
        const std::vector<floats> expected{
            {3, 6, 9}, {1, 2}, {static_cast<float>(3 + 3 * i)}, {0, 1, 2}, {2}};
        CHECK(now[i] == expected);
        CHECK(later[i] == expected);
    }
}

TEST_CASE("four threads of each peer call at the same time, under numbers of their own")
{
    constexpr int threads = 4, calls = 20;
    std::atomic<int> right = 0;
    pa::test::as_group(2, [&](pa::communicator& group) {
        pa::test::in_threads(threads, [&](int thread) {
            for (int call = 0; call < calls; ++call) {
                std::vector<double> data(100, group.rank() + thread + call);
                const auto number = static_cast<std::uint32_t>(1 + call * threads + thread);
                group.all_reduce_in_place(data, pa::sum{}, {.call = number});
                right += data[99] == 1 + 2 * (thread + call) ? 1 : 0;
            }
        });
    });
    CHECK(right == 2 * threads * calls);
}

TEST_CASE("what is not compiled is refused by name on the peer, fails on the others, and no more")
{
    std::vector<std::string> said(2);
    std::vector<float> after(2);
    pa::test::as_group(2, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        std::vector<int> whole{1, 2};
        try {
            if (group.rank() == 0)
                group.all_reduce_in_place(whole, pa::op_id::mean, {.timeout = 10s});
            else
                group.all_reduce_in_place(whole, pa::sum{}, {.timeout = 10s});
        } catch (const std::system_error& failure) {
            said[i] = failure.what();
        }
        floats data{1};
        group.all_reduce_in_place(data);
        after[i] = data[0];
    });
    CHECK(said[0].find("mean of i32 by identity is not offered: by this codec these elements are "
                       "reduced by sum, min, max, prod") == 0);
    CHECK(said[1].find("because of peer 0") != std::string::npos);
    CHECK(said[1].find("timed out") == std::string::npos);  // it was told
    CHECK(after == floats{2, 2});
}

TEST_CASE("a communicator that is destroyed fails its futures within a second")
{
    std::vector<std::error_code> ends(2);
    std::vector<clock_type::duration> took(2);
    std::latch gone(2);
    pa::test::as_group(3, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        if (i == 2) return gone.wait();  // does not call
        floats data(1000, 1);
        auto call = group.start().all_reduce_in_place(data);
        const auto begin = clock_type::now();
        {
            const auto ended = std::move(group);
        }
        took[i] = clock_type::now() - begin;
        ends[i] = pa::test::thrown_by([&] { call.get(); });
        gone.count_down();
    });
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(took[i] < 1s);
        CHECK((ends[i] == std::errc::operation_canceled || ends[i] == pa::errc::peer_failed));
    }
    CHECK((ends[0] == std::errc::operation_canceled || ends[1] == std::errc::operation_canceled));
}

TEST_CASE("a communicator that is closed or moved from says so")
{
    pa::communicator group(0, pa::test::free_endpoints(1));
    group.barrier();
    auto moved = std::move(group);
    CHECK(pa::test::thrown_by([&] { group.barrier(); }) == pa::errc::bad_argument);
    CHECK(moved.size() == 1);
    moved.close();
    CHECK(pa::test::thrown_by([&] { moved.barrier(); }) == pa::errc::bad_argument);
    CHECK(pa::test::thrown_by([&] { moved.rank(); }) == pa::errc::bad_argument);
}

TEST_CASE("a missing peer is named, and a bad rank refused")
{
    const auto endpoints = pa::test::free_endpoints(2);
    try {
        const pa::communicator alone(0, endpoints, {.connect_timeout = 50ms});
        FAIL("there is nobody");
    } catch (const std::system_error& failure) {
        CHECK(failure.code() == pa::errc::timed_out);
        CHECK(std::string(failure.what()).find("peer 1") != std::string::npos);
    }
    CHECK(pa::test::thrown_by([&] { pa::communicator(2, endpoints); }) == pa::errc::bad_argument);
}

TEST_CASE("a communicator can be destroyed at any moment of a call")
{
    for (int moment = 0; moment < 20; ++moment) {
        std::atomic<int> right = 0;
        pa::test::as_group(2, [&](pa::communicator& group) {
            std::vector<double> data(20'000, 1);
            auto call = group.start().all_reduce_in_place(data, pa::sum{});
            auto other = group.start().barrier();
            if (group.rank() == 0) {
                const auto until = clock_type::now() + moment * 40us;
                while (clock_type::now() < until) std::this_thread::yield();
                group.close(100ms);
            }
            const auto end = pa::test::thrown_by([&] { call.get(); });
            const double held = end ? 1 : 2;  // put back where the call has failed
            right += data[0] == held && data[19'999] == held ? 1 : 0;
            pa::test::thrown_by([&] { other.get(); });
        });
        CHECK(right == 2);
    }
}

TEST_CASE("a thousand communicators leave no descriptors, threads or memory behind")
{
    const auto open_and_close = [](int times) {
        const auto endpoints = pa::test::free_endpoints(2);
        pa::test::in_threads(2, [&](int rank) {
            for (int i = 0; i < times; ++i) {
                pa::communicator group(rank, endpoints);
                group.barrier();
            }
        });
    };
    open_and_close(50);
    const auto descriptors = entries_of("/proc/self/fd");
    const auto threads = entries_of("/proc/self/task");
    const auto kib = resident_kib();
    open_and_close(450);
    CHECK(entries_of("/proc/self/fd") == descriptors);
    CHECK(entries_of("/proc/self/task") == threads);
    if (!pa::test::sanitized) CHECK(resident_kib() < kib + 8 * 1024);  // they keep what is freed
}
