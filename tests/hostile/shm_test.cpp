// Strangers, and peers that misuse the memory that they share: each loses its own link, and nobody
// else notices.

#include <papilio/transport/shm.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/shm/medium.hpp>

#include <support/honest_pair.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace pa = papilio;
namespace shm = papilio::shm;
namespace wire = papilio::wire;
using namespace papilio::shm::detail;
using papilio::test::honest_pair;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t ring_bytes = 4096;
constexpr shm::options small{.ring_bytes = ring_bytes, .handshake_timeout = 2s};
constexpr wire::hello hello_over_shm{.group = 0, .from = 1, .to = 0, .process = 5};

owned_fd memory_file(std::size_t size, int seals)
{
    owned_fd file(::memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
    if (seals != 0) REQUIRE(::fcntl(file.get(), F_ADD_SEALS, seals) == 0);
    return file;
}

/// Honest peers, whose third is a stranger who shares memory with them.
struct infiltrated_shm_pair : honest_pair<shm::transport> {
    infiltrated_shm_pair() : honest_pair(shm::address{}, small) {}

    /// What the stranger hears after saying `what`, together with a file: how many bytes, until the
    /// end or a welcome.
    pa::task<std::size_t> knock(pa::bytes what, const owned_fd* with)
    {
        socket = std::make_unique<pa::descriptor>(loop, connect_to(zero.local().name).release());
        send_all(socket->get(), what, with);
        std::size_t heard = 0;
        owned_fd unwanted;
        std::array<std::byte, wire::welcome::encoded_size> answer{};
        bool over = false;
        while (!over && heard < answer.size()) {
            std::size_t n = 0;
            try {
                n = receive_some(socket->get(), pa::mutable_bytes(answer).subspan(heard), unwanted);
            } catch (const std::system_error&) {
                over = true;
            }
            heard += n;
            if (!over && n == 0) {
                co_await socket->readable();
            }
        }
        if (!over) send_all(socket->get(), answer);
        co_return heard;
    }

    /// The stranger becomes peer 1.
    void join()
    {
        file = ring_memory::make(ring_bytes);
        const auto hello = wire::encode(hello_over_shm);
        REQUIRE(pa::sync_wait(loop, knock(hello, &file)) == wire::welcome::encoded_size);
        pa::sync_wait(loop, zero.connect({1}, 20s));
        memory = static_cast<std::byte*>(::mmap(nullptr, 4096 + 2 * ring_bytes,
                                                PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
        REQUIRE(memory != MAP_FAILED);
    }

    ring_state& state(int ring) { return reinterpret_cast<ring_state*>(memory)[ring]; }

    ~infiltrated_shm_pair()
    {
        if (memory) ::munmap(memory, 4096 + 2 * ring_bytes);
    }

    std::unique_ptr<pa::descriptor> socket;
    owned_fd file;
    std::byte* memory = nullptr;
};

}  // namespace

TEST_CASE("whoever says something else than hello is turned away from shared memory")
{
    infiltrated_shm_pair pair;
    const owned_fd good = ring_memory::make(ring_bytes);
    const auto with = [](auto change) {
        auto h = hello_over_shm;
        change(h);
        return wire::encode(h);
    };
    for (const auto& words :
         {with([](auto& h) { h.group = 1; }), with([](auto& h) { h.to = 1; }),
          with([](auto& h) { h.from = 0; }), with([](auto& h) { h.from = 3; }),
          with([](auto& h) { h.from = 2; }), with([](auto& h) { h.connections = 2; }),
          with([](auto& h) { h.connection = 1; }), with([](auto& h) { h.process = 0; }),
          with([](auto& h) { h.to_process = 77; }),
          std::array<std::byte, wire::hello::encoded_size>{}})
        CHECK(pa::sync_wait(pair.loop, pair.knock(words, &good)) == 0);
    CHECK(pair.unharmed());
    pair.join();
    CHECK(pair.unharmed());
}

TEST_CASE("memory that could break under us is refused")
{
    infiltrated_shm_pair pair;
    const auto hello = wire::encode(hello_over_shm);
    const auto size = 4096 + 2 * ring_bytes;
    const int all = F_SEAL_SHRINK | F_SEAL_GROW;
    const owned_fd unsealed = memory_file(size, 0);
    const owned_fd shrinks = memory_file(size, F_SEAL_GROW);
    const owned_fd grows = memory_file(size, F_SEAL_SHRINK);
    const owned_fd small_file = memory_file(size - 4096, all);
    const owned_fd large_file = memory_file(size + 4096, all);
    const owned_fd read_only = memory_file(size, all | F_SEAL_WRITE);
    const owned_fd empty = memory_file(0, all);
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const owned_fd pipe_out(ends[0]);
    const owned_fd pipe_in(ends[1]);
    const owned_fd zeros(::open("/dev/zero", O_RDWR | O_CLOEXEC));
    const owned_fd program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    for (const auto* file : {&unsealed, &shrinks, &grows, &small_file, &large_file, &read_only,
                             &empty, &pipe_out, &pipe_in, &zeros, &program})
        CHECK(pa::sync_wait(pair.loop, pair.knock(hello, file)) == 0);
    CHECK(pa::sync_wait(pair.loop, pair.knock(hello, nullptr)) == 0);
    CHECK(pair.unharmed());
    pair.join();
    CHECK(pair.unharmed());
}

TEST_CASE("many files at once are not kept")
{
    const auto open_files = [] {
        std::size_t count = 0;
        for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
        return count;
    };
    infiltrated_shm_pair pair;
    const auto before = open_files();
    {
        const owned_fd file = ring_memory::make(ring_bytes);
        const owned_fd s = connect_to(pair.zero.local().name);
        constexpr std::size_t many = 50;
        std::array<int, many> fds{};
        fds.fill(file.get());
        alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof fds)> buffer{};
        auto hello = wire::encode(hello_over_shm);
        hello[0] = std::byte{0};
        iovec content{hello.data(), hello.size()};
        msghdr message{};
        message.msg_iov = &content;
        message.msg_iovlen = 1;
        message.msg_control = buffer.data();
        message.msg_controllen = buffer.size();
        cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof fds);
        std::memcpy(CMSG_DATA(head), fds.data(), sizeof fds);
        REQUIRE(::sendmsg(s.get(), &message, 0) == static_cast<ssize_t>(hello.size()));
        CHECK(pair.unharmed());
    }
    // Whoever knocks afterwards is heard after that one has been turned away.
    const auto nonsense = std::array<std::byte, wire::hello::encoded_size>{};
    CHECK(pa::sync_wait(pair.loop, pair.knock(nonsense, nullptr)) == 0);
    pair.socket.reset();
    CHECK(open_files() == before);
}

TEST_CASE("a ring that claims more than it holds ends its link, and no other")
{
    infiltrated_shm_pair pair;
    pair.join();
    const auto claim = GENERATE(values<std::uint64_t>(
        {ring_bytes + 1, std::uint64_t{1} << 40, ~std::uint64_t{0}, std::uint64_t{1} << 63}));
    pair.state(0).written = claim;
    send_all(pair.socket->get(), std::array<std::byte, 1>{});
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(!pair.zero.connected(1));
    CHECK(pair.unharmed());
}

TEST_CASE("a ring that claims to be read beyond what was written ends its link at the next send")
{
    infiltrated_shm_pair pair;
    pair.join();
    pair.state(1).read = GENERATE(values<std::uint64_t>({5000, ~std::uint64_t{0}}));
    const auto send = [&]() -> pa::task<> {
        const std::vector<std::byte> message(3 * ring_bytes);
        co_await pair.zero.send(1, pa::tag{1}, message);
    };
    CHECK_THROWS_AS(pa::sync_wait(pair.loop, send()), std::system_error);
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(pair.unharmed());
}

TEST_CASE("a ring full of noise ends its link, and one that changes while it is read harms nobody")
{
    infiltrated_shm_pair pair;
    pair.join();
    for (std::size_t i = 0; i < 2 * ring_bytes; ++i)
        pair.memory[4096 + i] = static_cast<std::byte>(i * 31 + 7);
    pair.state(0).written = ring_bytes;
    send_all(pair.socket->get(), std::array<std::byte, 1>{});
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(pair.unharmed());
}

TEST_CASE("a flood of bells keeps nobody from anything")
{
    infiltrated_shm_pair pair;
    pair.join();
    const std::vector<std::byte> bells(65'536);
    for (int i = 0; i < 100; ++i) {
        [[maybe_unused]] const auto n =
            ::send(pair.socket->get(), bells.data(), bells.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        CHECK(pair.unharmed());
    }
    CHECK(pair.zero.connected(1));
    pair.socket.reset();
    CHECK(pair.verdict() == pa::errc::disconnected);
    CHECK(pair.unharmed());
}
