#include <papilio/transport/shm.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>

#include "support/shm_cluster.hpp"

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pa = papilio;
namespace shm = papilio::shm;
namespace wire = papilio::wire;
using namespace papilio::test;
using namespace std::chrono_literals;

static_assert(pa::transport<shm::transport>);
static_assert(pa::detail::numbers_calls<shm::transport>);
static_assert(pa::detail::discards_calls<shm::transport>);
static_assert(pa::detail::reports_last_heard<shm::transport>);

namespace {

/// Another process, in which `work` runs and which then waits to be killed.
class process {
public:
    explicit process(const std::function<void()>& work) : id_(::fork())
    {
        if (id_ != 0) return;
        try {
            work();
            ::pause();
        } catch (...) {
        }
        ::_exit(1);
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() { kill(); }
    void kill()
    {
        if (id_ <= 0) return;
        ::kill(id_, SIGKILL);
        ::waitpid(std::exchange(id_, 0), nullptr, 0);
    }

private:
    pid_t id_;
};

std::size_t files_in_shared_memory()
{
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
        found += entry.path().filename().string().find("papilio") != std::string::npos;
    return found;
}

/// Names for peers of processes yet to be forked.
std::vector<shm::address> names(const char* what)
{
    const auto name = "papilio-test-" + std::to_string(::getpid()) + what;
    return {{"", name + "-0"}, {"", name + "-1"}};
}

std::error_code verdict(pa::asio_loop& loop, shm::transport& net, int peer, pa::tag t)
{
    std::array<std::byte, 10> into{};
    try {
        pa::sync_wait(loop, net.recv(peer, t, into));
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace

TEST_CASE("a process that is killed is noticed at once, and leaves nothing behind")
{
    const auto where = names("killed");
    const auto files = files_in_shared_memory();
    for (int life = 0; life < 3; ++life) {  // the same names are free again each time
        process other([&] {
            pa::asio_loop loop;
            shm::transport net(loop, 1, where);
            const auto live = [&]() -> pa::task<> {
                co_await net.connect();
                const std::vector<std::byte> message(5000, std::byte{7});
                co_await net.send(0, pa::tag{1}, message);
                std::array<std::byte, 1> never{};
                co_await net.recv(0, pa::tag{2}, never);
            };
            pa::sync_wait(loop, live());
        });
        pa::asio_loop loop;
        shm::transport net(loop, 0, where);
        pa::sync_wait(loop, net.connect());
        std::vector<std::byte> into(5000);
        CHECK(pa::sync_wait(loop, net.recv(1, pa::tag{1}, into)) == 5000);
        CHECK(into == std::vector<std::byte>(5000, std::byte{7}));
        CHECK(files_in_shared_memory() == files);
        other.kill();
        CHECK(verdict(loop, net, 1, pa::tag{3}) == pa::errc::disconnected);
        CHECK(!net.connected(1));
    }
    CHECK(files_in_shared_memory() == files);
}

TEST_CASE("a process that is killed in the middle of a message leaves no part of it")
{
    const auto where = names("half");
    process other([&] {
        pa::asio_loop loop;
        shm::transport net(loop, 1, where, {.ring_bytes = 4096});
        const auto live = [&]() -> pa::task<> {
            co_await net.connect();
            const std::vector<std::byte> message(5'000'000);
            co_await net.send(0, pa::tag{1}, message);
        };
        auto work = live();
        work.start(loop);
        while (!net.connected(0)) loop.run_one();
        for (int i = 0; i < 100; ++i) loop.run_one();
        ::raise(SIGKILL);
    });
    pa::asio_loop loop;
    shm::transport net(loop, 0, where, {.ring_bytes = 4096});
    pa::sync_wait(loop, net.connect());
    std::vector<std::byte> into(5'000'000);
    const auto receive = [&]() -> pa::task<std::error_code> {
        try {
            co_await net.recv(1, pa::tag{1}, into);
        } catch (const std::system_error& e) {
            co_return e.code();
        }
        co_return std::error_code{};
    };
    CHECK(pa::sync_wait(loop, receive()) == pa::errc::disconnected);
}

TEST_CASE("processes reduce in shared memory")
{
    const auto where = names("reduce");
    const auto reduce = [&](int rank) {
        pa::asio_loop loop;
        shm::transport net(loop, rank, where);
        const std::vector<float> in(300'000, static_cast<float>(rank + 1));
        std::vector<float> out(in.size());
        const auto live = [&]() -> pa::task<> {
            co_await net.connect();
            co_await pa::all_reduce(net, in, out, pa::sum{});
            co_await net.close();
        };
        pa::sync_wait(loop, live());
        return out;
    };
    process other([&] { reduce(1); });
    CHECK(reduce(0) == std::vector<float>(300'000, 3.0F));
}

TEST_CASE("peers that sleep are woken")
{
    shm_threads_cluster cluster(2, {.ring_bytes = 4096});
    cluster.run([](shm::transport& net) -> pa::task<> {
        std::vector<std::byte> message(10'000);  // more than a ring: writers sleep too
        for (int i = 0; i < 20; ++i) {
            const bool sends = i % 2 == net.rank();
            if (sends) {
                co_await pa::sleep_for(1ms);
                co_await net.send(1 - net.rank(), pa::tag{1}, message);
            } else {
                co_await net.recv(1 - net.rank(), pa::tag{1}, message);
            }
        }
    });
}

TEST_CASE("the round trip through shared memory is zero")
{
    shm_cluster cluster(2);
    CHECK(cluster.peer(0).round_trip(1) == pa::duration{});
}

TEST_CASE("close delivers the last messages through shared memory")
{
    shm_threads_cluster cluster(2);
    cluster.run([](shm::transport& net) -> pa::task<> {
        std::vector<std::byte> message(3'000'000, std::byte{5});
        if (net.rank() == 0) {
            co_await net.send(1, pa::tag{1}, message);
            co_await net.close();
        } else {
            std::vector<std::byte> into(message.size());
            co_await net.recv(0, pa::tag{1}, into);
            if (into != message) throw std::logic_error("the last message was harmed");
        }
    });
}

TEST_CASE("a peer on another host, or that does not exist, is named when connect fails")
{
    pa::asio_loop loop;
    shm::transport net(loop, 1, {{"elsewhere", "papilio-test-nobody"}, {}});
    try {
        pa::sync_wait(loop, net.connect(20ms));
        FAIL("there is no such peer");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::timed_out);
        CHECK_THAT(e.what(), Catch::Contains("papilio-test-nobody on host elsewhere"));
        CHECK_THAT(e.what(), Catch::Contains("refused"));
    }
    net.set_address(0, {"", "papilio-test-nobody"});
    CHECK_THROWS_AS(pa::sync_wait(loop, net.connect(20ms)), std::system_error);
}

TEST_CASE("a name that is taken or too long, and rings of invalid sizes, are refused")
{
    pa::asio_loop loop;
    shm::transport net(loop, 0, {{}});
    CHECK(!net.local().name.empty());
    CHECK(!net.local().host.empty());
    const std::vector<shm::address> taken{net.local()};
    const std::vector<shm::address> long_name{{"", std::string(200, 'x')}};
    CHECK_THROWS_AS(shm::transport(loop, 0, taken), std::system_error);
    CHECK_THROWS_AS(shm::transport(loop, 0, long_name), std::system_error);
    for (const std::size_t size : {0u, 2048u, 5000u, 12288u}) {
        const shm::options o{.ring_bytes = size};
        CHECK_THROWS_AS(shm::transport(loop, 0, {{}}, o), std::system_error);
    }
}

namespace {

const pa::tag part_of_call =
    pa::make_tag({.call = 1, .kind = pa::message_kind::contribution, .index = 1});

/// Lets both sides of a cluster on one loop do what they have to.
void go_on(shm_cluster& cluster)
{
    cluster.settle();
}

std::vector<float> counted(std::size_t n, int rank)
{
    std::vector<float> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(i % 1000 + 7 * rank);
    return all;
}

}  // namespace

TEST_CASE("what is sent from allocated memory is lent until it has been received")
{
    shm_cluster cluster(2);
    const auto memory = cluster.peer(0).allocate(200'000);
    std::ranges::fill(memory.get(), std::byte{5});
    const auto before = cluster.peer(0).arrived(1);
    auto sends = cluster.peer(0).send(1, part_of_call, memory.get().subspan(1, 150'000));
    sends.start(cluster.loop());
    go_on(cluster);
    CHECK(!sends.finished());
    CHECK(cluster.peer(0).arrived(1) < before + 1000);
    memory.get()[2] = std::byte{6};  // which is against the rules, but shows where it is read
    std::vector<std::byte> into(150'000);
    auto receives = cluster.peer(1).recv(0, part_of_call, into);
    receives.start(cluster.loop());
    go_on(cluster);
    REQUIRE((sends.finished() && receives.finished()));
    CHECK(receives.result() == 150'000);
    CHECK(into[0] == std::byte{5});
    CHECK(into[1] == std::byte{6});
    CHECK(cluster.peer(0).arrived(1) >= before + 150'000);
}

TEST_CASE("a lent message whose send is dropped does not arrive, and one behind it does")
{
    shm_cluster cluster(2);
    const auto memory = cluster.peer(0).allocate(200'000);
    {
        auto dropped = cluster.peer(0).send(1, part_of_call, memory.get());
        dropped.start(cluster.loop());
        go_on(cluster);
    }
    std::ranges::fill(memory.get(), std::byte{5});
    std::vector<std::byte> into(200'000, std::byte{9});
    auto receives = cluster.peer(1).recv(0, part_of_call, into);
    receives.start(cluster.loop());
    go_on(cluster);
    CHECK(!receives.finished());
    CHECK(into[0] == std::byte{9});
    auto sends = cluster.peer(0).send(1, part_of_call, memory.get().first(100'000));
    sends.start(cluster.loop());
    go_on(cluster);
    REQUIRE((sends.finished() && receives.finished()));
    CHECK(receives.result() == 100'000);
}

TEST_CASE("a send of ordinary memory ends before its receive, and may then change its bytes")
{
    shm_cluster cluster(2);
    std::vector<std::byte> message(100'000, std::byte{5}), into(100'000);
    auto sends = cluster.peer(0).send(1, part_of_call, message);
    sends.start(cluster.loop());
    go_on(cluster);
    CHECK(sends.finished());
    message.assign(100'000, std::byte{6});
    CHECK(cluster.peer(1).most_early_bytes() < 1000);  // the bytes stay with their sender
    pa::sync_wait(cluster.loop(), cluster.peer(1).recv(0, part_of_call, into));
    CHECK(into == std::vector<std::byte>(100'000, std::byte{5}));
}

TEST_CASE("a link that breaks ends the sends of what is lent, and the next one lends again")
{
    shm_cluster cluster(2);
    const auto memory = cluster.peer(0).allocate(100'000);
    auto sends = cluster.peer(0).send(1, part_of_call, memory.get());
    sends.start(cluster.loop());
    go_on(cluster);
    cluster.peer(0).admit(1);
    go_on(cluster);
    REQUIRE(sends.finished());
    CHECK_THROWS_AS(sends.result(), std::system_error);
    cluster.replace(1);
    cluster.run([](shm::transport& net) { return net.connect(); });
    std::vector<std::byte> into(100'000);
    auto again = cluster.peer(0).send(1, part_of_call, memory.get());
    auto receives = cluster.peer(1).recv(0, part_of_call, into);
    again.start(cluster.loop());
    receives.start(cluster.loop());
    go_on(cluster);
    CHECK((again.finished() && receives.finished()));
}

TEST_CASE("a message of a process that is killed while it is lent can still be received")
{
    const auto where = names("lent");
    process other([&] {
        pa::asio_loop loop;
        shm::transport net(loop, 1, where);
        const auto memory = net.allocate(100'000);
        std::ranges::fill(memory.get(), std::byte{5});
        const auto live = [&]() -> pa::task<> {
            co_await net.connect();
            co_await net.send(0, part_of_call, memory.get());
        };
        auto work = live();
        work.start(loop);
        for (;;) loop.run_one();
    });
    pa::asio_loop loop;
    shm::transport net(loop, 0, where);
    pa::sync_wait(loop, net.connect());
    while (net.most_early_bytes() == 0) loop.run_one();
    other.kill();
    CHECK(verdict(loop, net, 1, pa::tag{3}) == pa::errc::disconnected);
    std::vector<std::byte> into(100'000);
    CHECK(pa::sync_wait(loop, net.recv(1, part_of_call, into)) == 100'000);
    CHECK(into == std::vector<std::byte>(100'000, std::byte{5}));
}

TEST_CASE("allocated memory outlives its transport, and what is freed is given out again")
{
    shm::allocated_memory memory;
    {
        pa::asio_loop loop;
        shm::transport net(loop, 0, {{}}, {.allocate_limit = 1 << 20});
        CHECK_THROWS_AS(net.allocate((1 << 20) + 1), std::bad_alloc);
        memory = net.allocate(1 << 20);
        CHECK_THROWS_AS(net.allocate(1), std::bad_alloc);
        memory = {};
        memory = net.allocate(1 << 20);
        CHECK(memory.as<double>().size() == (1 << 17));
    }
    memory.as<double>()[0] = 1;
    const auto moved = std::move(memory);
    CHECK(memory.get().empty());
    CHECK(moved.as<double>()[0] == 1);
}

TEST_CASE("calls from allocated and from ordinary memory have the same results")
{
    shm_cluster cluster(3);
    const std::size_t n = GENERATE(100'003u, 400'000u);
    std::vector<shm::allocated_memory> memory;
    for (int rank = 0; rank < 3; ++rank) {
        memory.push_back(cluster.peer(rank).allocate(2 * n * sizeof(float)));
        std::ranges::copy(counted(n, rank), memory.back().as<float>().begin());
    }
    const auto call = [&](shm::transport& net) -> pa::task<> {
        const auto all = memory[static_cast<std::size_t>(net.rank())].as<float>();
        const std::span<const float> in = all.first(n);
        const auto report = co_await pa::all_reduce(net, in, all.last(n), pa::sum{});
        CHECK(report.bytes_sent() >= 4 * n * sizeof(float) / 3);
        co_await pa::all_reduce_in_place(net, all.first(n), pa::sum{});
        std::vector<float> ordinary = counted(n, net.rank()), result(n);
        co_await pa::all_reduce(net, std::span<const float>(ordinary), std::span(result),
                                pa::sum{});
        CHECK(std::ranges::equal(result, all.first(n)));
        CHECK(std::ranges::equal(result, all.last(n)));
        CHECK(result[1001] == 3 + 21);
    };
    cluster.run(call);
}

TEST_CASE("a call that is dropped while others reduce its data fails for them, by its name")
{
    shm_cluster cluster(3);
    constexpr std::size_t n = 400'000;
    std::vector<shm::allocated_memory> memory;
    for (int rank = 0; rank < 3; ++rank)
        memory.push_back(cluster.peer(rank).allocate(2 * n * sizeof(float)));
    const auto call = [&](shm::transport& net) -> pa::task<> {
        const auto all = memory[static_cast<std::size_t>(net.rank())].as<float>();
        const std::span<const float> in = all.first(n);
        co_await pa::all_reduce(net, in, all.last(n), pa::sum{});
    };
    auto dropped = std::make_optional(call(cluster.peer(0)));
    auto one = call(cluster.peer(1)), two = call(cluster.peer(2));
    dropped->start(cluster.loop());
    one.start(cluster.loop());
    go_on(cluster);
    dropped.reset();
    memory[0] = {};
    two.start(cluster.loop());
    while (!one.finished() || !two.finished()) cluster.loop().run_one();
    for (auto* failed : {&one, &two}) {
        const auto error = call_error_of([&] { failed->result(); });
        REQUIRE(error);
        CHECK(error->culprit() == 0);
    }
}
