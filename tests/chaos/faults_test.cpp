// Faults that are made from outside, at a process that waits for them.

#include <chaos/resources.hpp>
#include <chaos/sockets.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>

using namespace papilio::example::chaos;

namespace {

/// A forked process without these descriptors, which does its work when it is told to, and says how
/// it went.
class helper {
public:
    explicit helper(const std::function<char()>& work, std::initializer_list<int> to_close = {})
    {
        REQUIRE(::pipe(to_) == 0);
        REQUIRE(::pipe(from_) == 0);
        pid_ = ::fork();
        if (pid_ != 0) {
            CHECK(answer() == 'r');
            return;
        }
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGXFSZ, SIG_IGN);
        for (const int fd : to_close) ::close(fd);
        char how = 'r';
        while (::write(from_[1], &how, 1) == 1 && ::read(to_[0], &how, 1) == 1) how = work();
        ::_exit(0);
    }
    ~helper()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        for (const int fd : {to_[0], to_[1], from_[0], from_[1]}) ::close(fd);
    }
    helper(const helper&) = delete;
    helper& operator=(const helper&) = delete;

    char does() const
    {
        REQUIRE(::write(to_[1], "!", 1) == 1);
        return answer();
    }
    pid_t pid() const { return pid_; }

private:
    char answer() const
    {
        char how = '?';
        REQUIRE(::read(from_[0], &how, 1) == 1);
        return how;
    }

    int to_[2]{};
    int from_[2]{};
    pid_t pid_ = -1;
};

/// Two ends of a connection over loopback.
struct tcp_pair {
    tcp_pair()
    {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        REQUIRE(::bind(listener, address, size) == 0);
        REQUIRE(::listen(listener, 1) == 0);
        REQUIRE(::getsockname(listener, address, &size) == 0);
        here = ::socket(AF_INET, SOCK_STREAM, 0);
        REQUIRE(::connect(here, address, size) == 0);
        there = ::accept(listener, nullptr, nullptr);
        ::close(listener);
    }
    ~tcp_pair()
    {
        ::close(here);
        ::close(there);
    }
    tcp_pair(const tcp_pair&) = delete;
    tcp_pair& operator=(const tcp_pair&) = delete;

    int here = -1;
    int there = -1;
};

/// What arrives at `socket`: a byte, 'e' for its end, 'n' for nothing within `milliseconds`.
char arrives(int socket, int milliseconds)
{
    pollfd ready{socket, POLLIN, 0};
    if (::poll(&ready, 1, milliseconds) == 0) return 'n';
    char byte = 0;
    return ::read(socket, &byte, 1) == 1 ? byte : 'e';
}

constexpr int long_enough = 60'000;

}  // namespace

TEST_CASE("on a full disk a process can write to no file, until it has room again", "[chaos]")
{
    const helper writer([] {
        std::string name = "/tmp/papilio-chaos-XXXXXX";
        const int file = ::mkstemp(name.data());
        const bool good = ::write(file, "x", 1) == 1;
        ::close(file);
        ::unlink(name.c_str());
        return good ? 'y' : 'n';
    });
    CHECK(writer.does() == 'y');
    fill_disk(writer.pid());
    CHECK(writer.does() == 'n');
    free_disk(writer.pid());
    CHECK(writer.does() == 'y');
}

TEST_CASE("without descriptors a process can open nothing, until it has some again", "[chaos]")
{
    const helper opener([] {
        const int file = ::open("/dev/null", O_RDONLY);
        if (file >= 0) ::close(file);
        return file >= 0 ? 'y' : 'n';
    });
    CHECK(opener.does() == 'y');
    forbid_descriptors(opener.pid());
    CHECK(opener.does() == 'n');
    allow_descriptors(opener.pid());
    CHECK(opener.does() == 'y');
}

TEST_CASE("connections between two processes end, and others stay", "[chaos]")
{
    if (const auto why = why_not_borrow(); !why.empty()) {
        WARN("SKIPPED: " << why);
        return;
    }
    tcp_pair link, other;
    const helper reader([&] { return arrives(link.there, long_enough); },
                        {link.here, other.here, other.there});
    ::close(std::exchange(link.there, -1));
    CHECK(end_connections(::getpid(), reader.pid()) == 1);
    CHECK(reader.does() == 'e');
    REQUIRE(::write(other.here, "x", 1) == 1);
    CHECK(arrives(other.there, long_enough) == 'x');
}

TEST_CASE("what one process sends is dropped at the other, and arrives later", "[chaos]")
{
    if (const auto why = why_not_drop(); !why.empty()) {
        WARN("SKIPPED: " << why);
        return;
    }
    tcp_pair link;
    bool waits_long = false;
    const helper reader(
        [&] { return arrives(link.there, std::exchange(waits_long, true) ? long_enough : 200); });
    ::close(std::exchange(link.there, -1));
    drop_arrivals(reader.pid(), ::getpid());
    REQUIRE(::write(link.here, "x", 1) == 1);
    CHECK(reader.does() == 'n');
    let_arrive(reader.pid());
    CHECK(reader.does() == 'x');  // the system sends it again
}

TEST_CASE("a process's descriptors, threads and memory are known while it lives", "[chaos]")
{
    pid_t pid = -1;
    {
        const helper idle([] { return 'y'; });
        pid = idle.pid();
        const auto now = resources_of(pid);
        REQUIRE(now);
        CHECK(now->descriptors > 3);
        CHECK(now->threads == 1);
        CHECK(now->memory > 100'000);
    }
    CHECK_FALSE(resources_of(pid));
}

TEST_CASE("what grows beyond bounds is told, and what is there or not for a while is not",
          "[chaos]")
{
    resource_trend flat, away, growing, few;
    for (int i = 0; i < 200; ++i) {
        CHECK(growing.growth().empty());  // a trend shows in minutes
        flat.add({i < 40 ? 12 : 20 + i % 3, 3 + i % 2, std::uint64_t{10} << 20});
        away.add({i < 80 ? 16 : 21, i < 80 ? 3 : 4, std::uint64_t{10} << 20});
        growing.add({20 + i / 10, 3 + i / 100, std::uint64_t(10 + i / 2) << 20});
    }
    few.add({20, 3, 1});
    CHECK(flat.growth().empty());
    CHECK(away.growth().empty());
    CHECK(growing.growth() ==
          "descriptors from 29 to 35, threads from 3 to 4, memory from 35 MiB to 85 MiB");
    CHECK_FALSE(few.known());
    CHECK(few.growth().empty());
}

TEST_CASE("how long a process has waited for a processor is known, of one that has ended not",
          "[chaos]")
{
    CHECK(waited_for_processor(::getpid()) >= 0);
    CHECK(waited_for_processor(-1) == 0);
}
