// A peer that computes for long while a call of the others waits for it.

#include <papilio/transport/tcp.hpp>

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>

#include "support/tcp_cluster.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr int peers_of_run = 4;
constexpr int busy = 3;

/// Who shows no sign of life for an eighth of this is gone on without.
constexpr auto call_limit = 8s;

using computed = std::vector<float>;

papilio::task<papilio::report> add_up(papilio::tcp::transport& net, computed& data)
{
    return papilio::all_reduce_in_place(net, data, papilio::sum{}, papilio::identity{},
                                        {.timeout = call_limit, .salvage = true});
}

std::unique_ptr<papilio::tcp::transport> made_on(papilio::asio_loop& loop, int rank)
{
    return std::make_unique<papilio::tcp::transport>(loop, rank,
                                                     papilio::test::any_ports(peers_of_run),
                                                     papilio::tcp::options{.heartbeat = 100ms});
}

/// A trainer whose loop has a thread of its own.
class trainer {
public:
    explicit trainer(int rank)
    {
        on_.call([&] { net_ = made_on(on_.loop(), rank); });
    }
    trainer(const trainer&) = delete;
    trainer& operator=(const trainer&) = delete;
    ~trainer()
    {
        on_.call([&] { net_.reset(); });
    }

    papilio::tcp::transport& net() { return *net_; }
    std::future<void> connect() { return on_.start(net_->connect()); }
    std::future<papilio::report> call() { return on_.start(add_up(*net_, data)); }
    void meet(papilio::tcp::transport& other)
    {
        on_.call([&] { net_->set_address(other.rank(), other.local()); });
    }

    computed data = computed(1000, 1.f);

private:
    papilio::background_loop on_;
    std::unique_ptr<papilio::tcp::transport> net_;
};

}  // namespace

TEST_CASE("a peer that computes is waited for while its background loop answers")
{
    std::array<std::optional<trainer>, peers_of_run> all;
    for (int rank = 0; rank < peers_of_run; ++rank)
        all[static_cast<std::size_t>(rank)].emplace(rank);
    for (auto& one : all)
        for (auto& other : all)
            if (&one != &other) one->meet(other->net());
    std::vector<std::future<void>> connected;
    for (auto& one : all) connected.push_back(one->connect());
    for (auto& one : connected) one.get();

    std::vector<std::future<papilio::report>> calls;
    for (int rank = 0; rank < busy; ++rank)
        calls.push_back(all[static_cast<std::size_t>(rank)]->call());
    std::this_thread::sleep_for(call_limit / 4);  // it computes
    calls.push_back(all[busy]->call());
    for (auto& call : calls) CHECK(call.get().left.empty());
    for (auto& one : all) CHECK(one->data == computed(1000, 4.f));
}

TEST_CASE("a peer whose loop stands still while it computes is gone on without, and learns of it")
{
    std::array<std::optional<trainer>, busy> others;
    for (int rank = 0; rank < busy; ++rank) others[static_cast<std::size_t>(rank)].emplace(rank);
    papilio::asio_loop own;
    const auto made = made_on(own, busy);
    auto& net = *made;
    for (auto& one : others) {
        one->meet(net);
        net.set_address(one->net().rank(), one->net().local());
        for (auto& other : others)
            if (&one != &other) one->meet(other->net());
    }
    std::vector<std::future<void>> connected;
    for (auto& one : others) connected.push_back(one->connect());
    papilio::sync_wait(own, net.connect());
    for (auto& one : connected) one.get();

    std::vector<std::future<papilio::report>> calls;
    for (auto& one : others) calls.push_back(one->call());
    for (auto& call : calls) {  // until they have ended it computes
        const auto done = call.get();
        REQUIRE(done.left.size() == 1);
        CHECK(done.left[0].rank == busy);
    }
    for (auto& one : others) CHECK(one->data == computed(1000, 3.f));

    computed late(1000, 1.f);
    try {
        papilio::sync_wait(own, add_up(net, late));
        FAIL("the call has ended without it");
    } catch (const papilio::call_error& error) {
        CHECK(error.code() == papilio::errc::left_out);
    }
    CHECK(late == computed(1000, 1.f));
}
