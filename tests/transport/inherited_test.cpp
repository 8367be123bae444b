// What a child process has of this one's descriptors: nothing. It would keep links up, and ports
// taken, beyond the end of its parent.

#include <papilio/transport/hybrid.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pa = papilio;
namespace tcp = papilio::tcp;
using namespace std::chrono_literals;

namespace {

/// What this process has open: "socket:[4711]", "anon_inode:[eventpoll]" with their numbers.
std::set<std::string> open_here()
{
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (!gone) found.insert(entry.path().filename().string() + " " + target.string());
    }
    return found;
}

/// The same of a program that this process starts.
std::set<std::string> open_in_a_child()
{
    std::FILE* const child = ::popen(
        "for f in /proc/self/fd/*; do echo \"${f##*/} $(readlink /proc/$$/fd/${f##*/})\"; done",
        "r");
    REQUIRE(child);
    std::set<std::string> found;
    std::string line;
    for (int c = std::fgetc(child); c != EOF; c = std::fgetc(child)) {
        if (c != '\n') {
            line += static_cast<char>(c);
            continue;
        }
        found.insert(line);
        line.clear();
    }
    ::pclose(child);
    return found;
}

pa::task<> connect_all(std::vector<std::unique_ptr<pa::hybrid::transport>>& peers)
{
    std::vector<pa::task<>> all;
    for (auto& p : peers) all.push_back(p->connect(20s));
    co_await pa::when_all(std::move(all));
}

pa::task<> open_channel(pa::asio_loop& on, tcp::listener& at, std::vector<tcp::channel>& ends)
{
    const auto dial = [&]() -> pa::task<> { ends.push_back(co_await tcp::dial(on, at.local())); };
    const auto accept = [&]() -> pa::task<> { ends.push_back(co_await at.accept()); };
    std::vector<pa::task<>> both;
    both.push_back(dial());
    both.push_back(accept());
    co_await pa::when_all(std::move(both));
}

}  // namespace

TEST_CASE("a child process inherits no socket, no memory and no loop of ours", "[tcp][shm]")
{
    const auto before = open_here();
    pa::asio_loop loop;
    std::vector<std::unique_ptr<pa::hybrid::transport>> peers;
    for (int rank = 0; rank < 3; ++rank) {
        std::vector<pa::hybrid::address> known(3);
        known[static_cast<std::size_t>(rank)].tcp = {"127.0.0.1", 0};
        peers.push_back(std::make_unique<pa::hybrid::transport>(loop, rank, known));
    }
    for (auto& one : peers)
        for (auto& other : peers) {
            auto at = other->local();
            if (one->rank() + other->rank() == 3) at.local = {};  // this pair over TCP
            if (one != other) one->set_address(other->rank(), at);
        }
    pa::sync_wait(loop, connect_all(peers));
    CHECK(peers[0]->kind(1) == "shm");
    CHECK(peers[2]->kind(1) == "tcp");
    tcp::listener listener(loop, {"::", 0});
    std::vector<tcp::channel> ends;
    pa::sync_wait(loop, open_channel(loop, listener, ends));

    const auto here = open_here();
    CHECK(here.size() >= before.size() + 15);
    const auto there = open_in_a_child();
    CHECK(there.size() >= 3);
    for (const auto& descriptor : here) {
        const bool new_one = !before.contains(descriptor);
        CHECK_FALSE((new_one && there.contains(descriptor)));
    }
}
