// What a mesh does when links break, over streams in memory and in virtual time.

#include <papilio/transport/mesh.hpp>

#include <papilio/async/spawn.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/subset.hpp>

#include <support/memory_stream.hpp>
#include <support/tasks.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::make_memory_streams;

namespace {

/// One end of a stream of a link; whoever breaks it keeps a hand on it.
class cable final : public pa::byte_stream {
public:
    /// Once `dead` is true, this end fails at its next heartbeat, and the other notices nothing.
    cable(std::shared_ptr<pa::byte_stream> s, std::uint32_t streams,
          std::shared_ptr<bool> dead = std::make_shared<bool>(false))
        : stream_(std::move(s)), streams_(streams), dead_(std::move(dead))
    {
    }
    std::size_t read_some(std::span<const pa::mutable_bytes> into, std::error_code& e) override
    {
        return stream_->read_some(into, e);
    }
    std::size_t write_some(std::span<const pa::bytes> from, std::error_code& e) override
    {
        if (!*dead_) return stream_->write_some(from, e);
        e = pa::errc::disconnected;
        return 0;
    }
    pa::task<> readable() override { return stream_->readable(); }
    pa::task<> writable() override { return stream_->writable(); }
    const char* kind() const override { return "memory"; }
    std::uint32_t streams() const override { return streams_; }
    void close() noexcept override
    {
        if (!*dead_) stream_->close();
    }

private:
    std::shared_ptr<pa::byte_stream> stream_;
    std::uint32_t streams_;
    std::shared_ptr<bool> dead_;
};

/// Where peers listen, and the streams between them.
struct switchboard {
    pa::sim::world world;
    std::map<std::string, pa::medium::handshake> listeners;  // by address
    std::map<std::string, std::uint64_t> hosts;              // by address; others know none
    std::vector<std::weak_ptr<pa::byte_stream>> streams;
    std::uint32_t streams_of_a_link = 1;
    bool cut = false;   // nobody can be dialled
    int unlisted = -1;  // the peer that nobody can dial
    int strict = -1;    // the peer that takes no message above 1 MiB
    int attempts = 0;
    std::vector<pa::wire::hello> hellos;         // of all attempts that reached somebody
    std::vector<std::shared_ptr<bool>> dialled;  // ends of those who dialled

    /// Every stream ends for the side that dialled, and the other side notices nothing.
    void break_where_dialled()
    {
        for (const auto& dead : std::exchange(dialled, {})) *dead = true;
    }

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
    pa::wire::welcome accepted;  // by the process 0: refused
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
    pa::task<std::unique_ptr<pa::byte_stream>> accept(std::uint64_t process,
                                                      std::uint64_t host) override
    {
        visitor_->accepted = {.process = process, .host = host};
        visitor_->answered.open();
        co_return std::move(visitor_->stream);
    }

private:
    std::shared_ptr<visitor> visitor_;
    std::uint32_t streams_;
};

/// Says hello at an address. Returns the welcome; that of process 0 is a refusal.
pa::task<pa::wire::welcome> say(switchboard& at, std::string to, pa::wire::hello h,
                                std::unique_ptr<pa::byte_stream> over)
{
    at.hellos.push_back(h);
    const auto v = std::make_shared<visitor>();
    v->hello = h;
    v->stream = std::move(over);
    auto meeting = at.listeners[to](std::make_unique<fake_incoming>(v, h.connections));
    auto done = pa::spawn(at.world, std::move(meeting));
    co_await v->answered.opened();
    co_return v->accepted;
}

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
    std::uint64_t host() const override
    {
        const auto found = board_.hosts.find(own_);
        return found == board_.hosts.end() ? 0 : found->second;
    }
    pa::task<pa::dialled> dial_at(std::string to, pa::wire::hello h) override
    {
        h.connections = board_.streams_of_a_link;
        ++board_.attempts;
        co_await pa::sleep_for(10ms);
        if (board_.cut || !board_.listeners.contains(to))
            throw std::system_error(std::make_error_code(std::errc::connection_refused));
        auto ends = make_memory_streams();
        std::shared_ptr<pa::byte_stream> here = std::move(ends.first);
        std::shared_ptr<pa::byte_stream> there = std::move(ends.second);
        board_.streams.emplace_back(here);
        board_.dialled.push_back(std::make_shared<bool>(false));
        const auto dead = board_.dialled.back();
        pa::task<pa::wire::welcome> answer =
            say(board_, to, h, std::make_unique<cable>(there, h.connections));
        const auto welcome = co_await std::move(answer);
        if (welcome.process == 0) throw std::system_error(pa::errc::refused);
        co_return pa::dialled{std::make_unique<cable>(here, h.connections, dead), welcome.process,
                              welcome.host};
    }

private:
    switchboard& board_;
    std::string own_;
};

struct test_mesh final : pa::addressed_mesh<std::string> {
    test_mesh(switchboard& b, int rank, int peers)
        : addressed_mesh(b.world, std::make_unique<fake_medium>(b), rank, addresses(b, peers),
                         {.max_peers = peers + 1,
                          .max_message = std::size_t{rank == b.strict ? 1u : 64u} << 20})
    {
    }
    static std::vector<std::string> addresses(const switchboard& b, int peers)
    {
        std::vector<std::string> all;
        for (int rank = 0; rank < peers; ++rank)
            all.push_back(rank == b.unlisted ? "" : std::to_string(rank));
        return all;
    }
};

/// Peers of a mesh, connected.
struct meshes {
    explicit meshes(int peers, std::uint32_t streams = 1, int unlisted = -1, int strict = -1,
                    std::map<std::string, std::uint64_t> hosts = {})
    {
        board.hosts = std::move(hosts);
        board.unlisted = unlisted;
        board.strict = strict;
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

    test_mesh& net(int rank) { return *nets[static_cast<std::size_t>(rank)]; }

    /// The process of a peer ends without a word, and another one takes its address.
    test_mesh& restart(int rank)
    {
        auto& net = nets[static_cast<std::size_t>(rank)];
        net.reset();
        board.break_all();
        pa::sync_wait(board.world, pa::sleep_for(1ms));
        net = std::make_unique<test_mesh>(board, rank, static_cast<int>(nets.size()));
        return *net;
    }

    /// What a stranger is answered who says `h`: the number of a process; 0: refused.
    std::uint64_t answer(const pa::wire::hello& h)
    {
        auto stream = std::make_unique<cable>(std::move(make_memory_streams().first), 1);
        return pa::sync_wait(board.world, say(board, std::to_string(h.to), h, std::move(stream)))
            .process;
    }

    /// Whether `rank` takes `peer` to be on its host.
    bool shares_host(int rank, int peer)
    {
        return pa::sync_wait(board.world, net(rank).shares_host(peer));
    }

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
    meshes g(3, streams, GENERATE(-1, 0, 2));
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
    meshes g(2);
    g.board.cut = true;
    g.board.break_all();
    g.wait(10min);
    CHECK_FALSE(g.nets[0]->connected(1));
    CHECK(g.board.attempts < 100);  // they became rare
    g.board.cut = false;
    const bool asked = GENERATE(true, false);
    if (asked)
        g.run([](test_mesh& net) { return net.connect(1s); });  // at once
    else
        g.wait(31s);
    CHECK(g.nets[0]->connected(1));
    CHECK(g.sums() == 2);
}

TEST_CASE("whoever connects while a link is down waits for it to come back")
{
    meshes g(2);
    g.board.cut = true;
    g.board.break_all();
    g.wait(1ms);
    std::vector<pa::task<>> connecting;
    for (auto& net : g.nets) connecting.push_back(net->connect(1min));
    for (auto& c : connecting) c.start(g.board.world);
    g.wait(10s);
    CHECK_FALSE((connecting[0].finished() || connecting[1].finished()));
    g.board.cut = false;
    g.wait(5s);
    for (auto& c : connecting) {
        REQUIRE(c.finished());
        c.result();
    }
    CHECK(g.sums() == 2);
}

TEST_CASE("whoever notices that a link is dead makes another one, though the other side has not")
{
    const auto streams = GENERATE(1u, 3u);
    meshes g(3, streams);
    g.board.break_where_dialled();
    g.wait(3s);  // heartbeats find out; nothing else would for 30 s
    CHECK(g.sums() == 3);
    CHECK(g.net(0).link_number(1) == 1);
    CHECK(g.net(1).link_number(0) == 1);
}

TEST_CASE("a hello in a peer's name does not touch its link, whatever generation it claims")
{
    meshes g(3);
    CHECK(g.sums() == 3);
    g.board.break_all();
    g.wait(3s);  // then the hellos named both processes
    const auto hellos = g.board.hellos;
    const auto said = [&](std::uint32_t from, std::uint32_t to) {
        return *std::find_if(hellos.rbegin(), hellos.rend(),
                             [&](const auto& h) { return h.from == from && h.to == to; });
    };
    auto forged = said(2, 1);
    forged.generation = 1000;
    forged.process = 99;
    CHECK(g.answer(forged) == 0);
    forged.process = said(2, 0).process;  // as another peer knows it
    CHECK(forged.process != said(2, 1).process);
    CHECK(g.answer(forged) == 0);
    forged.process = said(2, 1).process;
    forged.to_process = 99;
    CHECK(g.answer(forged) == 0);
    forged = said(2, 1);  // one that was said before
    CHECK(g.answer(forged) == 0);
    CHECK(g.net(1).link_number(2) == 1);
    CHECK(g.sums() == 3);

    // While a link is down, its place is no stranger's either.
    g.board.cut = true;
    g.board.break_all();
    g.wait(1s);
    forged.generation = 1000;
    forged.process = 99;
    CHECK(g.answer(forged) == 0);
}

TEST_CASE("while a link is down, calls fail at once")
{
    meshes g(2);
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
    meshes g(2);
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
    meshes g(2);
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
    meshes g(3);
    auto& fresh = g.restart(restarted);
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

TEST_CASE("a process whose place was given to another one stays out, though its link was alive")
{
    const int old_rank = GENERATE(0, 1);
    meshes g(2);
    auto& stays = g.net(1 - old_rank);
    const auto old = std::move(g.nets[static_cast<std::size_t>(old_rank)]);
    g.nets[static_cast<std::size_t>(old_rank)] =
        std::make_unique<test_mesh>(g.board, old_rank, 2);  // listens where that one did
    CHECK(stays.connected(old_rank));
    stays.admit(old_rank);
    CHECK_FALSE(stays.connected(old_rank));
    g.wait(5s);  // the old one has tried to come back
    CHECK_FALSE(old->connected(stays.rank()));
    CHECK_FALSE(stays.connected(old_rank));
    g.run([](test_mesh& net) { return net.connect(); });
    CHECK(g.net(old_rank).connected(stays.rank()));
    CHECK_FALSE(old->connected(stays.rank()));
}

TEST_CASE("a process whose place was given to another one cannot say hello in its peers' names")
{
    meshes g(2);
    auto known = *std::ranges::find_if(g.board.hellos,
                                       [](const auto& h) { return h.from == 1 && h.to == 0; });
    const auto old = std::move(g.nets[0]);
    g.nets[0] = std::make_unique<test_mesh>(g.board, 0, 2);
    g.net(1).admit(0);
    g.wait(5s);
    g.run([](test_mesh& net) { return net.connect(); });
    known.generation = 1000;
    for (const std::uint64_t to_process : {std::uint64_t{0}, known.to_process}) {
        known.to_process = to_process;
        CHECK(g.answer(known) == 0);
        g.wait(1min);
        CHECK(g.net(0).link_number(1) == 0);
        CHECK(g.net(1).connected(0));
    }
}

TEST_CASE("what was kept for a process is sent to it when its link is back, and to no other one")
{
    meshes g(2);
    const bool same = GENERATE(true, false);
    const auto t = pa::user_tag(3);
    const std::array<std::byte, 4> note{};
    if (!same) g.restart(1);
    g.board.cut = true;
    g.board.break_all();
    g.wait(1ms);
    CHECK(g.net(0).post(1, t, note));
    g.board.cut = false;
    if (!same) g.net(0).admit(1);
    g.run([](test_mesh& net) { return net.connect(); });
    std::array<std::byte, 4> into{};
    auto receiving = g.net(1).recv(0, t, into);
    receiving.start(g.board.world);
    g.wait(5s);
    CHECK(receiving.finished() == same);
}

TEST_CASE("a peer that has taken its leave is not called back, and another process may come")
{
    meshes g(2);
    g.run([](test_mesh& net) -> pa::task<> {
        if (net.rank() == 1) co_await net.close();
    });
    const auto before = g.board.attempts;
    g.wait(1min);
    CHECK_FALSE(g.nets[0]->connected(1));
    CHECK(g.nets[0]->link_number(1) == 0);
    CHECK(g.nets[0]->has_left(1));
    CHECK(g.board.attempts == before);
    CHECK_THROWS_AS(pa::sync_wait(g.board.world, g.nets[0]->connect(1h)), std::system_error);
    CHECK(g.board.world.now() < pa::time_point(2min));

    g.restart(1);
    g.nets[0]->admit(1);
    CHECK_FALSE(g.nets[0]->has_left(1));
    g.run([](test_mesh& net) { return net.connect(); });
    CHECK(g.nets[0]->connected(1));
}

TEST_CASE("whoever breaks the protocol is not let in again")
{
    const auto guilty = GENERATE(0, 1);
    meshes g(2, 1, -1, 1 - guilty);
    auto& victim = g.net(1 - guilty);
    std::vector<std::byte> into(100);
    const auto send_both = [&]() -> pa::task<> {
        co_await g.net(guilty).send(victim.rank(), pa::user_tag(1), into);
        const std::vector<std::byte> large(std::size_t{2} << 20);
        co_await g.net(guilty).send(victim.rank(), pa::user_tag(1), large);
    };
    CHECK_THROWS_AS(pa::sync_wait(g.board.world, send_both()), std::system_error);
    g.wait(1min);
    CHECK_FALSE(g.net(guilty).connected(victim.rank()));
    CHECK_FALSE(victim.connected(guilty));
    CHECK(victim.has_left(guilty));
    auto taking = victim.recv(guilty, pa::user_tag(1), into);
    CHECK(pa::sync_wait(g.board.world, std::move(taking)) == into.size());  // what had arrived
}

TEST_CASE("a transport that is closed does not dial any more")
{
    meshes g(2);
    g.board.cut = true;
    g.board.break_all();
    g.wait(1min);
    g.run([](test_mesh& net) { return net.close(); });
    const auto before = g.board.attempts;
    g.board.cut = false;
    g.wait(1h);
    CHECK(g.board.attempts == before);
    CHECK_FALSE(g.nets[0]->connected(1));
}

TEST_CASE("whoever waits for a link is told when the transport is closed")
{
    const int rank = GENERATE(0, 1);  // the higher one dials
    const bool had_met = GENERATE(true, false);
    switchboard board;
    test_mesh net(board, rank, 2);
    std::optional<test_mesh> peer;
    if (had_met) {
        peer.emplace(board, 1 - rank, 2);
        pa::sync_wait(board.world, (rank == 1 ? net : *peer).connect());
        peer.reset();
        board.break_all();
        pa::sync_wait(board.world, pa::sleep_for(1ms));
    }
    auto connecting = net.connect(1h);
    connecting.start(board.world);
    pa::sync_wait(board.world, pa::sleep_for(10s));
    CHECK_FALSE(connecting.finished());
    pa::sync_wait(board.world, net.close());
    pa::sync_wait(board.world, pa::sleep_for(1ms));
    REQUIRE(connecting.finished());
    CHECK_THROWS_WITH(connecting.result(), Catch::Contains("peer " + std::to_string(1 - rank)));
    const auto attempts = board.attempts;
    pa::sync_wait(board.world, pa::sleep_for(1h));
    CHECK(board.attempts == attempts);
}

TEST_CASE("a peer that becomes known after the transport was closed has no link")
{
    meshes g(2);
    g.run([](test_mesh& net) { return net.close(); });
    auto& net = *g.nets[0];
    net.set_address(2, "2");
    const std::vector<std::byte> message(8);
    const auto send = [&] { pa::sync_wait(g.board.world, net.send(2, pa::user_tag(1), message)); };
    CHECK(pa::test::thrown_by(send) == pa::errc::disconnected);
}

TEST_CASE("of a link that was half made when the transport was closed nothing is left")
{
    switchboard board;
    board.streams_of_a_link = 2;
    test_mesh net(board, 1, 3), peer(board, 0, 2);
    auto connecting = net.connect({0}, 1h);
    connecting.start(board.world);
    pa::sync_wait(board.world, pa::sleep_for(15ms));
    board.cut = true;  // before the second stream
    pa::sync_wait(board.world, pa::sleep_for(10s));
    REQUIRE(board.streams.size() == 1);
    const std::vector<std::byte> message(10);
    auto sending = net.send(0, pa::tag{5}, message);
    sending.start(board.world);
    pa::sync_wait(board.world, net.close());
    pa::sync_wait(board.world, pa::sleep_for(20s));
    CHECK(connecting.finished());
    CHECK(sending.finished());
    board.cut = false;
    const auto attempts = board.attempts;
    pa::sync_wait(board.world, pa::sleep_for(10min));
    CHECK(board.attempts == attempts);
    CHECK_FALSE(net.connected(0));
    net.admit(0);
    for (int rank : {0, 2})
        CHECK_THROWS_WITH(pa::sync_wait(board.world, net.connect({rank}, 1h)),
                          Catch::Contains("disconnected"));
    std::byte into{};
    CHECK_THROWS_AS(pa::sync_wait(board.world, net.recv(0, pa::tag{5}, {&into, 1})),
                    std::system_error);
}

TEST_CASE("whoever is not there any more is not dialled, and is again when its address is known")
{
    meshes g(2);
    g.net(1).set_address(0, "");
    g.board.break_all();
    g.wait(1min);
    CHECK_FALSE(g.net(0).connected(1));
    const auto before = g.board.attempts;
    g.wait(1h);
    CHECK(g.board.attempts == before);
    g.net(1).set_address(0, "0");
    g.run([](test_mesh& net) { return net.connect(1s); });
    CHECK(g.sums() == 2);
}

TEST_CASE("peers learn from each other whether they share a host, and know it of a link that broke")
{
    meshes g(5, GENERATE(1u, 2u), -1, -1, {{"0", 5}, {"1", 5}, {"2", 6}});
    const auto check = [&] {
        for (int rank = 0; rank < 5; ++rank) {
            CHECK(g.shares_host(rank, rank));
            for (int peer = 0; peer < 5; ++peer)
                if (peer != rank) CHECK(g.shares_host(rank, peer) == (rank + peer == 1));
        }
    };
    check();
    g.board.cut = true;
    g.board.break_all();
    g.wait(1s);
    CHECK_FALSE(g.net(0).connected(1));
    check();
}

TEST_CASE("who is told a host of its own group cannot compare it with another group's")
{
    meshes g(2, 1, -1, -1, {{"0", 5}, {"1", 5}});
    REQUIRE(g.board.hellos.size() == 1);
    CHECK(g.board.hellos[0].host != 0);
    CHECK(g.board.hellos[0].host != 5);
    CHECK(g.board.hellos[0].host == pa::detail::host_in_group(5, 0));
    CHECK(g.board.hellos[0].host != pa::detail::host_in_group(5, 1));
    CHECK(pa::detail::host_in_group(0, 1) == 0);
}

TEST_CASE("whether a peer shares the host is known when its link is there, and not before")
{
    switchboard board;
    board.hosts = {{"0", 5}, {"1", 5}};
    test_mesh here(board, 0, 2);
    bool known = false;
    const auto ask = [&]() -> pa::task<> {
        const bool shares = co_await here.shares_host(1);
        CHECK(shares);
        known = true;
    };
    pa::task<> asking = ask();
    asking.start(board.world);
    pa::sync_wait(board.world, pa::sleep_for(1s));
    CHECK_FALSE(known);
    test_mesh there(board, 1, 2);
    pa::sync_wait(board.world, there.connect());
    pa::sync_wait(board.world, pa::sleep_for(1ms));
    CHECK(known);
}
