// A call that loses a process of its group, over real sockets: the others finish it.

#include <papilio/transport/tcp.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>

#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int processes = 4;
constexpr int victim = 2;
constexpr std::size_t elements = 100'000;

/// A sum whose process kills itself instead of reducing once more, after so many times.
struct deadly_sum {
    static constexpr papilio::op_id id = papilio::op_id::first_user;
    static inline int times_to_live = -1;  // of this process; -1: it lives

    template <class T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double> weights,
                std::span<T> out) const
    {
        if (times_to_live == 0) std::raise(SIGKILL);
        if (times_to_live > 0) --times_to_live;
        papilio::sum{}.reduce(contributions, weights, out);
    }
};

/// How the call has ended for a process, for its parent to see.
struct seen {
    bool good = false;
    int view = 0;
    std::size_t left = 0;  ///< how many it went on without
    int left_first = -1;   ///< one of them
    std::size_t with = 0;  ///< elements in which the victim is
    std::size_t without = 0;
    std::size_t right = 0;  ///< elements that are the sum of what their contributors gave
    std::array<float, elements> data{};
};

struct shared_by_all {
    std::array<std::atomic<std::uint16_t>, processes> ports{};
    std::array<seen, processes> ends{};
};

class shared_memory {
public:
    shared_memory()
    {
        void* const got = ::mmap(nullptr, sizeof(shared_by_all), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(got != MAP_FAILED);
        all_ = new (got) shared_by_all;
    }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;
    ~shared_memory() { ::munmap(all_, sizeof(shared_by_all)); }

    shared_by_all& operator*() const { return *all_; }
    shared_by_all* operator->() const { return all_; }

private:
    shared_by_all* all_;
};

float value_given_by(int rank)
{
    return static_cast<float>(1 << rank);
}

void look_at(const papilio::report& done, std::span<const float> data, seen& to)
{
    to.view = done.view;
    to.left = done.left.size();
    if (!done.left.empty()) to.left_first = done.left.front().rank;
    for (const auto& made : done.made_of) {
        float sum = 0;
        bool with_victim = false;
        for (const auto& c : made.from) {
            sum += value_given_by(c.rank);
            with_victim |= c.rank == victim;
        }
        (with_victim ? to.with : to.without) += made.range.size;
        const auto range = data.subspan(made.range.begin, made.range.size);
        to.right += static_cast<std::size_t>(std::ranges::count(range, sum));
    }
    std::ranges::copy(data, to.data.begin());
    to.good = true;
}

/// The life of one process.
void take_part(int rank, shared_by_all& all)
{
    papilio::asio_loop loop;
    papilio::tcp::transport net(loop, rank, papilio::test::any_ports(processes));
    all.ports[static_cast<std::size_t>(rank)] = net.local().port;
    for (int peer = 0; peer < processes; ++peer) {
        const auto& port = all.ports[static_cast<std::size_t>(peer)];
        while (port == 0) std::this_thread::yield();
        if (peer != rank) net.set_address(peer, {"127.0.0.1", port});
    }
    papilio::sync_wait(loop, net.connect(60s));
    std::vector<float> data(elements, value_given_by(rank));
    const auto done = papilio::sync_wait(
        loop, papilio::all_reduce_in_place(
                  net, data, deadly_sum{}, papilio::identity{},
                  {.timeout = 60s, .salvage = true, .chunk_bytes = 4096, .in_flight = 2}));
    look_at(done, data, all.ends[static_cast<std::size_t>(rank)]);
}

pid_t start_process(int rank, int victim_lives, shared_by_all& all)
{
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child > 0) return child;
    try {
        if (rank == victim) deadly_sum::times_to_live = victim_lives;
        take_part(rank, all);
    } catch (const std::exception&) {
        ::_exit(1);
    }
    ::_exit(0);
}

}  // namespace

TEST_CASE("when one of four processes is killed in mid-call, the others end it with the same bits",
          "[tcp]")
{
    // It dies in its first chunk, in one in the middle, and in its last one. With two chunks on
    // the way what it has reduced long before is with the others.
    const int lives = GENERATE(0, 12, 24);
    CAPTURE(lives);
    const shared_memory all;
    std::vector<pid_t> children;
    for (int rank = 0; rank < processes; ++rank)
        children.push_back(start_process(rank, lives, *all));
    for (int rank = 0; rank < processes; ++rank) {
        INFO("process " << rank);
        int status = 0;
        REQUIRE(::waitpid(children[static_cast<std::size_t>(rank)], &status, 0) > 0);
        if (rank == victim) {
            CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
            continue;
        }
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
        const auto& end = all->ends[static_cast<std::size_t>(rank)];
        REQUIRE(end.good);
        CHECK(end.view > 0);
        CHECK(end.left == 1);
        CHECK(end.left_first == victim);
        CHECK(end.right == elements);
        CHECK(end.without > 0);
        CHECK((end.with > 0 || lives == 0));
        CHECK(end.data == all->ends.front().data);
    }
}
