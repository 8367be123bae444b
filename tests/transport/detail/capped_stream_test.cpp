#include <papilio/transport/detail/capped_stream.hpp>

#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::detail::capped_stream;
using pa::detail::caps;

namespace {

/// A stream that takes and gives as much as is asked, at once.
class fast_stream final : public pa::byte_stream {
public:
    std::size_t read_some(std::span<const pa::mutable_bytes> into, std::error_code&) override
    {
        return size_of(into);
    }
    std::size_t write_some(std::span<const pa::bytes> from, std::error_code&) override
    {
        return size_of(from);
    }
    pa::task<> readable() override { co_await pa::yield{}; }
    pa::task<> writable() override { co_await pa::yield{}; }
    const char* kind() const override { return "fast"; }
    void close() noexcept override {}

private:
    template <class Piece>
    static std::size_t size_of(std::span<const Piece> pieces)
    {
        std::size_t all = 0;
        for (const auto& p : pieces) all += p.size();
        return all;
    }
};

std::unique_ptr<capped_stream> capped(pa::loop& on, const std::shared_ptr<caps>& shared)
{
    return std::make_unique<capped_stream>(on, std::make_unique<fast_stream>(), shared);
}

/// Writes so many bytes, and says when the last one went.
pa::task<> write(pa::byte_stream& to, std::size_t size, pa::time_point& done)
{
    pa::loop& on = co_await pa::this_loop{};
    const std::vector<std::byte> content(size);
    for (std::size_t sent = 0; sent < size;) {
        const std::array<pa::bytes, 2> pieces{
            pa::bytes(content).subspan(sent).first(std::min<std::size_t>(100, size - sent)),
            pa::bytes(content).subspan(std::min(sent + 100, size))};
        std::error_code error;
        const auto n = to.write_some(pieces, error);
        sent += n;
        if (n == 0) {
            co_await to.writable();
        }
    }
    done = on.now();
}

pa::task<> read(pa::byte_stream& from, std::size_t size, pa::time_point& done)
{
    pa::loop& on = co_await pa::this_loop{};
    std::vector<std::byte> content(size);
    for (std::size_t came = 0; came < size;) {
        const std::array<pa::mutable_bytes, 1> buffer{pa::mutable_bytes(content).subspan(came)};
        std::error_code error;
        const auto n = from.read_some(buffer, error);
        came += n;
        if (n == 0) {
            co_await from.readable();
        }
    }
    done = on.now();
}

void run(pa::loop& on, std::vector<pa::task<>> work)
{
    const auto all = [](std::vector<pa::task<>> w) -> pa::task<> {
        co_await pa::when_all(std::move(w));
    };
    pa::sync_wait(on, all(std::move(work)));
}

double seconds(pa::time_point t)
{
    return std::chrono::duration<double>(t.time_since_epoch()).count();
}

}  // namespace

TEST_CASE("what goes out keeps to its cap, and what comes in to its own")
{
    pa::sim::world world;
    const auto shared = std::make_shared<caps>(1'000'000, 250'000);
    const auto stream = capped(world, shared);
    pa::time_point wrote, got;
    std::vector<pa::task<>> work;
    work.push_back(write(*stream, 3'000'000, wrote));
    work.push_back(read(*stream, 1'000'000, got));
    run(world, std::move(work));
    CHECK(seconds(wrote) == Approx(3).margin(0.03));
    CHECK(seconds(got) == Approx(4).margin(0.05));
}

TEST_CASE("streams that share a cap take turns")
{
    pa::sim::world world;
    const auto shared = std::make_shared<caps>(1'000'000, 0);
    const auto a = capped(world, shared);
    const auto b = capped(world, shared);
    const auto c = capped(world, shared);
    pa::time_point a_done, b_done, c_done;
    std::vector<pa::task<>> work;
    work.push_back(write(*a, 500'000, a_done));
    work.push_back(write(*b, 500'000, b_done));
    work.push_back(write(*c, 100'000, c_done));
    run(world, std::move(work));
    CHECK(seconds(c_done) == Approx(0.3).margin(0.03));
    CHECK(seconds(a_done) == Approx(1.1).margin(0.03));
    CHECK(seconds(b_done) == Approx(1.1).margin(0.03));
}

TEST_CASE("a direction without a cap takes no time")
{
    pa::sim::world world;
    const auto stream = capped(world, std::make_shared<caps>(0, 1));
    pa::time_point wrote{1s};
    std::vector<pa::task<>> work;
    work.push_back(write(*stream, 100'000'000, wrote));
    run(world, std::move(work));
    CHECK(wrote == pa::time_point{});
}

TEST_CASE("a stream that ends gives back what it has reserved, dropped or closed")
{
    pa::sim::world world;
    const auto shared = std::make_shared<caps>(1000, 1000);
    const std::vector<std::byte> content(100);
    const std::array<pa::bytes, 1> pieces{content};
    const auto ended_while_it_waits = [&](bool close) {
        auto s = capped(world, shared);
        std::error_code error;
        while (s->write_some(pieces, error) > 0) {
        }
        if (close) s->close();
        return s;
    };
    const auto first = capped(world, shared);
    std::error_code error;
    while (first->write_some(pieces, error) > 0) {
    }
    const auto due = shared->up.reserve(0, world.now());
    ended_while_it_waits(false);
    CHECK(shared->up.reserve(0, world.now()) == due);
    const auto closed = ended_while_it_waits(true);
    CHECK(shared->up.reserve(0, world.now()) == due);
}
