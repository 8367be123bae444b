#include <papilio/session.hpp>

#include <catch2/catch.hpp>

#include "support/communicators.hpp"
#include "support/sanitized.hpp"
#include "support/thrown.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <latch>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pa = papilio;

namespace {

using ending = std::optional<pa::call_error>;
using future_report = std::future<pa::report>;

ending end_of_future(future_report& call)
{
    return pa::test::call_error_of([&] { call.get(); });
}

void check_aborted(const ending& end, int culprit, const std::string& reason)
{
    REQUIRE(end);
    CHECK(end->code() == pa::errc::aborted);
    CHECK(end->culprit() == culprit);
    CHECK(end->detail() == reason);
}

/// What a peer knows of its calls: by number, the sum that a call has left, or who has aborted it.
struct known_of_call {
    float held = 0;
    int aborter = -1;
    std::string why;
};

/// Makes calls, up to three at a time, and aborts now and then.
std::vector<known_of_call> calls_at_random(pa::communicator& group, std::uint32_t seed, int count)
{
    std::minstd_rand random(seed * 16 + static_cast<std::uint32_t>(group.rank()) + 1);
    const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() / 7 % below); };
    struct under_way {
        std::vector<float> data;
        future_report call;
    };
    std::deque<under_way> open;
    std::vector<known_of_call> known;
    while (static_cast<int>(known.size()) < count) {
        const auto begun = static_cast<int>(known.size() + open.size());
        for (auto turns = draw(40); turns > 0; --turns) std::this_thread::yield();
        if (draw(6) == 0) group.abort("by " + std::to_string(group.rank()));
        if (begun < count && open.size() < 3 && draw(3) > 0) {
            open.push_back({std::vector<float>(begun % 4 == 3 ? 20'000 : 5, 1), {}});
            open.back().call = group.start().all_reduce_in_place(open.back().data);
        } else if (!open.empty()) {
            auto& first = open.front();
            const auto end = end_of_future(first.call);
            known.push_back({first.data.back(), -1, {}});
            if (end) known.back().aborter = end->culprit();
            if (end) known.back().why = end->code().message() + ": " + end->detail();
            open.pop_front();
        }
    }
    return known;
}

}  // namespace

TEST_CASE("calls that are aborted throw the reason here and at the others, and later ones succeed")
{
    std::vector<ending> ends(3);
    std::vector<float> after(3);
    std::latch ended(2);
    pa::test::as_group(3, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        if (i == 2) ended.wait();  // begins when the others know how the call has ended
        auto call = group.start().barrier();
        if (i == 1) group.abort("the loss\x1b is NaN");
        ends[i] = end_of_future(call);
        if (i != 2) ended.count_down();
        after[i] = pa::test::sum_of_ones(group);
    });
    for (const auto& end : ends) check_aborted(end, 1, "the loss? is NaN");
    CHECK(after == std::vector<float>{3, 3, 3});
}

TEST_CASE("an abort reaches peers that wait for one that has not called")
{
    std::vector<ending> ends(3);
    std::vector<float> after(3);
    std::latch ended(2);
    pa::test::as_group(3, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        if (i == 2) group.abort("the loss is NaN");
        if (i == 2) ended.wait();
        ends[i] = pa::test::call_error_of([&] { group.barrier(); });
        if (i != 2) ended.count_down();
        after[i] = pa::test::sum_of_ones(group);
    });
    for (const auto& end : ends) check_aborted(end, 2, "the loss is NaN");
    CHECK(after == std::vector<float>{3, 3, 3});
}

TEST_CASE("a call that the aborting peer has not begun goes on at a peer that is ahead")
{
    std::vector<ending> ends(3);
    std::vector<float> after(3);
    std::latch ahead(1), ended(2);
    pa::test::as_group(3, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        if (i == 2) ended.wait();
        if (i == 1) ahead.wait();
        auto first = group.start().barrier();
        std::vector<float> data{1};
        future_report second;
        if (i == 0) {
            second = group.start().all_reduce_in_place(data);
            ahead.count_down();
        }
        if (i == 1) group.abort("not this one");
        ends[i] = end_of_future(first);
        if (i != 2) ended.count_down();
        if (i != 0) second = group.start().all_reduce_in_place(data);
        second.get();
        after[i] = data[0];
    });
    for (const auto& end : ends) check_aborted(end, 1, "not this one");
    CHECK(after == std::vector<float>{3, 3, 3});
}

TEST_CASE("calls with numbers are aborted by them")
{
    std::vector<ending> ends(3);
    std::vector<float> after(3);
    std::latch ended(2);
    pa::test::as_group(3, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        if (i == 2) {
            group.abort("70", {70});
            ended.wait();
        }
        std::vector<float> data{1};
        auto other = group.start().all_reduce_in_place(data, pa::sum{}, {.call = 71});
        ends[i] = pa::test::call_error_of([&] { group.barrier({.call = 70}); });
        if (i != 2) ended.count_down();
        other.get();
        after[i] = data[0] + pa::test::sum_of_ones(group, {.call = 70});  // again, under its number
    });
    for (const auto& end : ends) check_aborted(end, 2, "70");
    CHECK(after == std::vector<float>{6, 6, 6});
}

TEST_CASE("a number that no call has is refused by an abort")
{
    pa::communicator group(0, pa::test::free_endpoints(1));
    CHECK(pa::test::thrown_by([&] { group.abort("", {pa::max_call + 1}); }) ==
          pa::errc::bad_argument);
    group.barrier();
}

TEST_CASE("a group that is split off aborts its own calls, and two peers may abort at once")
{
    std::vector<ending> ends(3);
    std::vector<float> after(3);
    std::latch aborted(2), ended(2);
    pa::test::as_group(3, [&](pa::communicator& whole) {
        const auto i = static_cast<std::size_t>(whole.rank());
        auto group = whole.split(7);
        auto of_whole = i == 2 ? future_report{} : whole.start().barrier();
        if (i == 2) ended.wait();
        auto call = group.start().barrier();
        if (i != 2) group.abort("by " + std::to_string(i), {1});
        ends[i] = end_of_future(call);
        if (i != 2) ended.count_down();
        if (i == 2) of_whole = whole.start().barrier();
        of_whole.get();
        after[i] = pa::test::sum_of_ones(group);
    });
    for (const auto& end : ends) {
        REQUIRE(end);
        CHECK((end->culprit() == 0 || end->culprit() == 1));
        check_aborted(end, end->culprit(), "by " + std::to_string(end->culprit()));
    }
    CHECK(after == std::vector<float>{3, 3, 3});
}

TEST_CASE("aborts at any moment end the same calls for all peers, however far ahead one is")
{
    const int count = pa::test::sanitized ? 60 : 200;
    for (std::uint32_t seed = 0; seed < 4; ++seed) {
        std::vector<std::vector<known_of_call>> known(3);
        std::vector<float> after(3);
        pa::test::as_group(
            3,
            [&](pa::communicator& group) {
                const auto i = static_cast<std::size_t>(group.rank());
                known[i] = calls_at_random(group, seed, count);
                // An abort may have named the next calls.
                while (after[i] == 0)
                    pa::test::call_error_of([&] { after[i] = pa::test::sum_of_ones(group); });
            },
            {.shared_memory = seed % 2 == 0});
        CAPTURE(seed);
        CHECK(after == std::vector<float>{3, 3, 3});
        int aborted = 0, wrong = 0;
        for (std::size_t call = 0; call < known[0].size(); ++call) {
            const bool fails = known[0][call].aborter >= 0;
            aborted += fails ? 1 : 0;
            for (const auto& of_peer : known) {
                const auto& k = of_peer[call];
                const bool right =
                    fails ? k.held == 1 && k.why.ends_with(": by " + std::to_string(k.aborter))
                          : k.held == 3 && k.why.empty();
                wrong += right ? 0 : 1;
                if (!right) UNSCOPED_INFO("call " << call + 1 << ": " << k.held << ' ' << k.why);
            }
        }
        CHECK(wrong == 0);
        CHECK(aborted > 0);
        CHECK(aborted < count);
    }
}
