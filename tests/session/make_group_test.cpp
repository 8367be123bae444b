#include <papilio/session.hpp>
#include <papilio/session/impl/call_group.hpp>
#include <papilio/session/impl/make_group.hpp>
#include <papilio/session/impl/measure_links.hpp>
#include <papilio/session/impl/shared_links.hpp>

#include <catch2/catch.hpp>

#include "support/communicators.hpp"
#include "support/thrown.hpp"

#include <sys/wait.h>

#include <unistd.h>
#include <csignal>
#include <latch>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// A process that waits for a word, then is one peer of a group: makes one call, and waits for its
/// end. It must be made before any thread is.
class other_process {
public:
    other_process(int rank, const std::vector<pa::tcp::endpoint>& endpoints, std::uint32_t number)
    {
        if (::pipe(pipe_) != 0) throw std::runtime_error("no pipe");
        id_ = ::fork();
        if (id_ != 0) return;
        char word = 0;
        if (::read(pipe_[0], &word, 1) != 1) ::_exit(1);
        try {
            pa::communicator group(rank, endpoints, {.number = number});
            std::vector<float> data{1};
            group.all_reduce_in_place(data);
            for (;;) ::pause();
        } catch (...) {
            ::_exit(1);
        }
    }
    other_process(const other_process&) = delete;
    other_process& operator=(const other_process&) = delete;
    ~other_process()
    {
        kill();
        ::close(pipe_[0]);
        ::close(pipe_[1]);
    }

    void begin() const
    {
        if (::write(pipe_[1], "", 1) != 1) throw std::runtime_error("the process is gone");
    }
    void kill()
    {
        const auto id = std::exchange(id_, 0);
        if (id <= 0) return;
        ::kill(id, SIGKILL);
        ::waitpid(id, nullptr, 0);
    }

private:
    int pipe_[2]{};
    ::pid_t id_ = 0;
};

}  // namespace

TEST_CASE("a killed peer is left out by shrink, and another process rejoins in its place")
{
    const auto endpoints = pa::test::free_endpoints(3);
    other_process killed(2, endpoints, 0), restarted(2, endpoints, 7);
    killed.begin();
    std::latch both(2);
    std::vector<float> first(2), shrunk(2), whole(2);
    std::vector<int> left(2);
    std::vector<std::error_code> lost(2);
    pa::test::in_threads(2, [&](int rank) {
        const auto i = static_cast<std::size_t>(rank);
        pa::communicator group(rank, endpoints);
        first[i] = pa::test::sum_of_ones(group);
        both.arrive_and_wait();
        if (rank == 0) killed.kill();
        lost[i] = pa::test::thrown_by([&] { pa::test::sum_of_ones(group); });
        auto rest = group.shrink({.timeout = 10s});
        left[i] = rest.size();
        shrunk[i] = pa::test::sum_of_ones(rest);
        if (rank == 0) restarted.begin();
        auto again = rest.rejoin({2}, 7);
        whole[i] = pa::test::sum_of_ones(again);
    });
    CHECK(first == std::vector<float>{3, 3});
    CHECK((lost[0] && lost[1]));
    CHECK(left == std::vector<int>{2, 2});
    CHECK(shrunk == std::vector<float>{2, 2});
    CHECK(whole == std::vector<float>{3, 3});
}

TEST_CASE("the number of a group that is rejoined is above those before")
{
    pa::communicator group(0, pa::test::free_endpoints(1));
    auto again = group.rejoin({}, 5);
    CHECK(again.size() == 1);
    CHECK(pa::test::thrown_by([&] { again.rejoin({}, 5); }) == pa::errc::bad_argument);
    CHECK(pa::test::thrown_by([&] { again.rejoin({}, 1001); }) == pa::errc::bad_argument);
    CHECK_NOTHROW(again.rejoin({}, 6).barrier());
}

TEST_CASE("those who name one colour are a group, whose groups have numbers of their own")
{
    std::vector<std::vector<float>> sums(5);
    pa::test::as_group(5, [&](pa::communicator& group) {
        const int rank = group.rank();
        auto half = group.split(rank % 2);
        auto pair = half.split(half.rank() / 2 + 10);  // those of both halves at the same time
        auto all = group.split(0);
        sums[static_cast<std::size_t>(rank)] = {
            pa::test::sum_of_ones(half), pa::test::sum_of_ones(pair), pa::test::sum_of_ones(all),
            static_cast<float>(all.rank())};
    });
    CHECK(sums[0] == std::vector<float>{3, 2, 5, 0});
    CHECK(sums[1] == std::vector<float>{2, 2, 5, 1});
    CHECK(sums[2] == std::vector<float>{3, 2, 5, 2});
    CHECK(sums[3] == std::vector<float>{2, 2, 5, 3});
    CHECK(sums[4] == std::vector<float>{3, 1, 5, 4});
}

TEST_CASE("groups' epochs follow from the highest that anybody would take, in the colours' order")
{
    pa::detail::colours_told all(4);
    const std::vector<std::int64_t> told{7, 1001, -3, 1010, 7, 1002, 0, 1001};
    std::ranges::copy(told, all.told().begin());
    CHECK(all.first_epoch() == 1010);
    CHECK(all.count() == 3);
    CHECK(all.epoch_of(-3) == 1010);
    CHECK(all.epoch_of(0) == 1011);
    CHECK(all.epoch_of(7) == 1012);
    CHECK(all.members_of(7) == std::vector<int>{0, 2});
}

TEST_CASE("peers measure the links to each other, and agree on what they carry")
{
    std::vector<std::vector<pa::measured_link>> found(2);
    std::vector<std::optional<pa::link_table>> tables(2);
    pa::test::as_group(2, [&](pa::communicator& group) {
        const auto i = static_cast<std::size_t>(group.rank());
        found[i] = group.probe({.count = 4});
        tables[i] = group.agree_links();
    });
    for (std::size_t rank = 0; rank < 2; ++rank) {
        REQUIRE(found[rank].size() == 1);
        const auto& link = found[rank].front();
        CHECK(link.rank == (rank == 0 ? 1 : 0));
        CHECK(link.latency > 0ns);
        CHECK(link.up_bytes_per_second > 0);
        CHECK(link.down_bytes_per_second > 0);
        REQUIRE(tables[rank]);
        CHECK(tables[rank] == tables[0]);
    }
}
