// Strangers, and peers that misuse the memory that they share: each loses its own link, and nobody
// else notices.

#include <papilio/transport/shm.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/shm/medium.hpp>
#include <papilio/wire/loan.hpp>

#include <support/honest_pair.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
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
const owned_fd none;

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
    pa::task<std::size_t> knock(pa::bytes what, const owned_fd& with)
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
        if (!over) send_all(socket->get(), answer, lends);
        co_return heard;
    }

    /// The stranger becomes peer 1.
    void join()
    {
        file = ring_memory::make(ring_bytes);
        const auto hello = wire::encode(hello_over_shm);
        REQUIRE(pa::sync_wait(loop, knock(hello, file)) == wire::welcome::encoded_size);
        pa::sync_wait(loop, zero.connect({1}, 20s));
        memory = static_cast<std::byte*>(::mmap(nullptr, 4096 + 2 * ring_bytes,
                                                PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
        REQUIRE(memory != MAP_FAILED);
    }

    /// The stranger says where a message lies, once it is a peer.
    void lend(const wire::loan& l)
    {
        const auto head = wire::encode(wire::frame{wire::loan_tag, wire::loan::encoded_size});
        const auto content = wire::encode(l);
        std::memcpy(memory + 4096, head.data(), head.size());
        std::memcpy(memory + 4096 + head.size(), content.data(), content.size());
        state(0).written = head.size() + content.size();
        send_all(socket->get(), std::array<std::byte, 1>{});
    }
    std::atomic<std::uint64_t>& loan_state(std::uint64_t number)
    {
        return reinterpret_cast<loan_states*>(memory + 1024)[0][number % wire::max_loans];
    }

    ring_state& state(int ring) { return reinterpret_cast<ring_state*>(memory)[ring]; }

    ~infiltrated_shm_pair()
    {
        if (memory) ::munmap(memory, 4096 + 2 * ring_bytes);
    }

    std::unique_ptr<pa::descriptor> socket;
    owned_fd lends;  // memory from which the stranger lends
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
        CHECK(pa::sync_wait(pair.loop, pair.knock(words, good)) == 0);
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
        CHECK(pa::sync_wait(pair.loop, pair.knock(hello, *file)) == 0);
    CHECK(pa::sync_wait(pair.loop, pair.knock(hello, none)) == 0);
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
    CHECK(pa::sync_wait(pair.loop, pair.knock(nonsense, none)) == 0);
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

namespace {

const pa::tag part_of_call =
    pa::make_tag({.call = 1, .kind = pa::message_kind::contribution, .index = 1});
constexpr std::size_t lent_bytes = 1 << 20;

}  // namespace

TEST_CASE("whoever lends what it has not shared loses its link, and no other")
{
    infiltrated_shm_pair pair;
    const auto shares = GENERATE(as<std::string>{}, "nothing", "memory that may shrink", "memory");
    if (shares == "memory") pair.lends = memory_file(lent_bytes, F_SEAL_SHRINK | F_SEAL_GROW);
    if (shares == "memory that may shrink") pair.lends = memory_file(lent_bytes, F_SEAL_GROW);
    pair.join();
    const std::uint64_t offset = shares == "memory" ? lent_bytes - 99 : 0;
    pair.loan_state(65) = 65;
    pair.lend({part_of_call, 65, offset, 100});
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(!pair.zero.connected(1));
    CHECK(pair.zero.has_left(1));
    CHECK(pair.unharmed());
}

TEST_CASE("a loan of more than a message may have ends its link, and no other")
{
    infiltrated_shm_pair pair;
    pair.lends = memory_file(std::size_t{128} << 20, F_SEAL_SHRINK | F_SEAL_GROW);
    pair.join();
    pair.lend({part_of_call, 65, 0, (64 << 20) + 1});
    CHECK(pair.verdict() == pa::errc::too_large);
    CHECK(pair.unharmed());
}

TEST_CASE("a loan whose state says otherwise never came, and its bytes may be anything")
{
    infiltrated_shm_pair pair;
    pair.lends = memory_file(lent_bytes, F_SEAL_SHRINK | F_SEAL_GROW);
    pair.join();
    const bool stands = GENERATE(false, true);
    pair.loan_state(65) = stands ? 65 : 1;
    pair.lend({part_of_call, 65, 5, 100'000});
    CHECK(pair.unharmed());
    std::vector<std::byte> into(100'000, std::byte{1});
    auto work = pair.zero.recv(1, part_of_call, into);
    work.start(pair.loop);
    CHECK(pair.unharmed());
    CHECK(work.finished() == stands);
    CHECK(pair.zero.connected(1));
    if (stands) CHECK(into == std::vector<std::byte>(100'000));
}
