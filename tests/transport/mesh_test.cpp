// What a mesh does when links break, over streams in memory and in virtual time.

#include <papilio/transport/mesh.hpp>

#include <papilio/async/spawn.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/subset.hpp>

#include <support/memory_stream.hpp>
#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::make_memory_streams;

namespace {

/// One of the streams of a link; whoever breaks it keeps a hand on it.
class cable final : public pa::byte_stream {
public:
    cable(std::shared_ptr<pa::byte_stream> s, std::uint32_t streams)
        : stream_(std::move(s)), streams_(streams)
    {
    }
    std::size_t read_some(std::span<const pa::mutable_bytes> into, std::error_code& e) override
    {
        return stream_->read_some(into, e);
    }
    std::size_t write_some(std::span<const pa::bytes> from, std::error_code& e) override
    {
        return stream_->write_some(from, e);
    }
    pa::task<> readable() override { return stream_->readable(); }
    pa::task<> writable() override { return stream_->writable(); }
    const char* kind() const override { return "memory"; }
    std::uint32_t streams() const override { return streams_; }
    void close() noexcept override { stream_->close(); }

private:
    std::shared_ptr<pa::byte_stream> stream_;
    std::uint32_t streams_;
};

/// Where peers listen, and the streams between them.
struct switchboard {
    pa::sim::world world;
    std::map<std::string, pa::medium::handshake> listeners;  // by address
    std::vector<std::weak_ptr<pa::byte_stream>> streams;
    std::uint32_t streams_of_a_link = 1;
    bool cut = false;  // nobody can be dialled

    /// Every stream that there is ends.
    void break_all()
    {
        for (const auto& s : std::exchange(streams, {}))
            if (const auto living = s.lock()) living->close();
    }
};

struct visitor {
    std::unique_ptr<pa::byte_stream> stream;
    pa::wire::hello hello;
    std::uint64_t accepted_by = 0;
    bool over = false;
    pa::gate answered;
};

class fake_incoming final : public pa::incoming {
public:
    fake_incoming(std::shared_ptr<visitor> v, std::uint32_t streams)
        : visitor_(std::move(v)), streams_(streams)
    {
    }
    ~fake_incoming() override { visitor_->answered.open(); }
    pa::task<pa::wire::hello> read_hello() override { co_return visitor_->hello; }
    std::uint32_t streams() const override { return streams_; }
    pa::task<std::unique_ptr<pa::byte_stream>> accept(std::uint64_t process) override
    {
        visitor_->accepted_by = process;
        visitor_->answered.open();
        co_return std::move(visitor_->stream);
    }

private:
    std::shared_ptr<visitor> visitor_;
    std::uint32_t streams_;
};

/// A peer's address is the text of its rank.
class fake_medium final : public pa::addressed_medium<std::string> {
public:
    explicit fake_medium(switchboard& b) : board_(b) {}
    ~fake_medium() override { board_.listeners.erase(own_); }

    bool reaches(const std::string& /*from*/, const std::string& to) const override
    {
        return !to.empty();
    }
    std::string text(const std::string& at) const override { return at; }
    void listen_at(const std::string& own, handshake authenticate) override
    {
        own_ = own;
        board_.listeners[own] = std::move(authenticate);
    }
    std::string local() const override { return own_; }
    pa::task<pa::dialled> dial_at(std::string to, pa::wire::hello h) override
    {
        h.connections = board_.streams_of_a_link;
        co_await pa::sleep_for(10ms);
        if (board_.cut || !board_.listeners.contains(to))
            throw std::system_error(std::make_error_code(std::errc::connection_refused));
        auto ends = make_memory_streams();
        std::shared_ptr<pa::byte_stream> here = std::move(ends.first);
        std::shared_ptr<pa::byte_stream> there = std::move(ends.second);
        board_.streams.emplace_back(here);
        const auto v = std::make_shared<visitor>();
        v->hello = h;
        v->stream = std::make_unique<cable>(there, h.connections);
        auto meeting = board_.listeners[to](std::make_unique<fake_incoming>(v, h.connections));
        auto done = pa::spawn(board_.world, std::move(meeting));
        co_await v->answered.opened();
        if (v->accepted_by == 0) throw std::system_error(pa::errc::refused);
        co_return pa::dialled{std::make_unique<cable>(here, h.connections), v->accepted_by};
    }

private:
    switchboard& board_;
    std::string own_;
};

struct test_mesh final : pa::addressed_mesh<std::string> {
    test_mesh(switchboard& b, int rank, int peers)
        : addressed_mesh(b.world, std::make_unique<fake_medium>(b), rank, addresses(peers), {})
    {
    }
    static std::vector<std::string> addresses(int peers)
    {
        std::vector<std::string> all;
        for (int rank = 0; rank < peers; ++rank) all.push_back(std::to_string(rank));
        return all;
    }
};

/// Peers of a mesh, connected.
struct group {
    explicit group(int peers, std::uint32_t streams = 1)
    {
        board.streams_of_a_link = streams;
        for (int rank = 0; rank < peers; ++rank)
            nets.push_back(std::make_unique<test_mesh>(board, rank, peers));
        run([](test_mesh& net) { return net.connect(); });
    }

    template <class Program>
    void run(Program program)
    {
        std::vector<pa::task<>> all;
        for (auto& net : nets)
            if (net) all.push_back(program(*net));
        pa::sync_wait(board.world, pa::test::all_of(std::move(all)));
    }
    void wait(pa::duration d) { pa::sync_wait(board.world, pa::sleep_for(d)); }

    /// How many peers a call of all succeeds for.
    int sums()
    {
        int right = 0;
        run([&](test_mesh& net) -> pa::task<> {
            std::vector<float> data(10'000, static_cast<float>(net.rank() + 1));
            try {
                co_await pa::all_reduce_in_place(net, data, {.timeout = 20s});
                right += data[9'999] == static_cast<float>(net.size() * (net.size() + 1) / 2);
            } catch (const pa::call_error&) {
                // counted as it is not
            }
        });
        return right;
    }

    switchboard board;
    std::vector<std::unique_ptr<test_mesh>> nets;
};

}  // namespace

TEST_CASE("a link that breaks between two processes comes back, and calls work again")
{
    const auto streams = GENERATE(1u, 3u);
    group g(3, streams);
    CHECK(g.sums() == 3);
    for (std::uint32_t breaks = 1; breaks <= 3; ++breaks) {
        g.board.break_all();
        g.wait(1ms);
        CHECK_FALSE(g.nets[0]->connected(1));
        g.wait(3s);
        for (int rank : {0, 1, 2})
            for (int peer : {0, 1, 2}) {
                if (rank == peer) continue;
                CHECK(g.nets[static_cast<std::size_t>(rank)]->connected(peer));
                CHECK(g.nets[static_cast<std::size_t>(rank)]->link_number(peer) == breaks);
            }
        CHECK(g.sums() == 3);
    }
}

TEST_CASE("a link comes back when it can, however long that takes")
{
    group g(2);
    g.board.cut = true;
    g.board.break_all();
    g.wait(10min);
    CHECK_FALSE(g.nets[0]->connected(1));
    g.board.cut = false;
    g.wait(10s);
    CHECK(g.nets[0]->connected(1));
    CHECK(g.sums() == 2);
}

TEST_CASE("while a link is down, calls fail at once")
{
    group g(2);
    g.board.cut = true;
    g.board.break_all();
    g.wait(1ms);
    const auto before = g.board.world.now();
    CHECK(g.sums() == 0);
    CHECK(g.board.world.now() - before < 1s);
}

TEST_CASE(
    "who begins a call that a broken link has ended for the others hears of it when it is back")
{
    group g(2);
    pa::duration waited{};
    bool failed[2]{};
    g.run([&](test_mesh& net) -> pa::task<> {
        std::vector<float> data(10, 1.f);
        const bool late = net.rank() == 1;
        if (late) {
            co_await pa::sleep_for(1s);
            g.board.break_all();
            co_await pa::sleep_for(3s);
        }
        const auto begin = co_await pa::now();
        try {
            co_await pa::all_reduce_in_place(net, data, {.call = 7});
        } catch (const pa::call_error&) {
            failed[net.rank()] = true;
        }
        const auto end = co_await pa::now();
        if (late) waited = end - begin;
        co_await pa::sleep_until(pa::time_point(10s));
        co_await pa::all_reduce_in_place(net, data, {.call = 7});
        CHECK(data[0] == 2.f);
    });
    CHECK((failed[0] && failed[1]));
    CHECK(waited < 1s);
}

TEST_CASE("what had not arrived when a link broke is lost, and what comes later is not")
{
    group g(2);
    std::vector<std::byte> first(10'000, std::byte{1}), second(100, std::byte{2}), into(10'000);
    const auto t = pa::user_tag(1);
    bool failed = false;
    const auto receive = [&](bool& broke) -> pa::task<> {
        try {
            co_await g.nets[1]->recv(0, t, into);
        } catch (const std::system_error& e) {
            broke = e.code() == pa::errc::disconnected;
        }
    };
    const auto send = [&](const std::vector<std::byte>& what) -> pa::task<> {
        try {
            co_await g.nets[0]->send(1, t, what);
        } catch (const std::system_error&) {
            // cut off in the middle
        }
    };
    pa::sync_wait(g.board.world, send(first));  // nobody receives it
    g.board.break_all();
    g.wait(3s);
    auto receiving = receive(failed);
    receiving.start(g.board.world);
    pa::sync_wait(g.board.world, send(second));
    g.wait(1s);
    CHECK(receiving.finished());
    CHECK_FALSE(failed);
    CHECK(into[0] == std::byte{2});
}

TEST_CASE("another process under a peer's rank and address gets in when it is admitted, not before")
{
    const int restarted = GENERATE(0, 2);  // who is dialled by all, and who dials all
    group g(3);
    g.nets[static_cast<std::size_t>(restarted)].reset();
    g.board.break_all();
    g.nets[static_cast<std::size_t>(restarted)] =
        std::make_unique<test_mesh>(g.board, restarted, 3);
    auto& fresh = *g.nets[static_cast<std::size_t>(restarted)];
    auto connecting = fresh.connect(1h);
    connecting.start(g.board.world);
    g.wait(1min);
    for (int peer : {0, 1, 2}) {
        if (peer != restarted) {
            CHECK_FALSE(g.nets[static_cast<std::size_t>(peer)]->connected(restarted));
            CHECK_FALSE(fresh.connected(peer));
        }
    }
    CHECK(g.nets[1]->connected(restarted == 0 ? 2 : 0));
    for (int peer : {0, 1, 2})
        if (peer != restarted) g.nets[static_cast<std::size_t>(peer)]->admit(restarted);
    g.run([](test_mesh& net) { return net.connect(); });
    const auto in_epoch = [](test_mesh& net) -> pa::task<> {
        std::vector<float> data(1000, 1.f);
        pa::subset everybody(net, {0, 1, 2}, 1);
        co_await pa::all_reduce_in_place(everybody, data);
        CHECK(data[0] == 3.f);
    };
    g.run(in_epoch);
}

TEST_CASE("a peer that has taken its leave is not called back")
{
    group g(2);
    g.run([](test_mesh& net) -> pa::task<> {
        if (net.rank() == 1) co_await net.close();
    });
    g.wait(1min);
    CHECK_FALSE(g.nets[0]->connected(1));
    CHECK(g.nets[0]->link_number(1) == 0);
}
