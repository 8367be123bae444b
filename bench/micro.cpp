// The pieces that all-reduces are made of, one at a time.

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/max.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/mailbox.hpp>

#include <benchmark/benchmark.h>

#include <cstring>
#include <span>
#include <vector>

namespace papilio {

namespace {

constexpr std::size_t chunk = (256 << 10) / sizeof(float);

std::vector<float> numbers(std::size_t count, std::uint64_t seed)
{
    random source(seed);
    std::vector<float> all(count);
    for (auto& x : all) x = static_cast<float>(source.uniform() - 0.5);
    return all;
}

/// Of elements, in the units of the codecs' and operations' own speeds.
void set_speed(benchmark::State& state, std::size_t elements)
{
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(elements * sizeof(float)));
}

// ---- Arithmetic, on chunks that stay in the cache.

void copy(benchmark::State& state)
{
    const auto from = numbers(chunk, 1);
    std::vector<float> to(chunk);
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), chunk * sizeof(float));
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    set_speed(state, chunk);
}
BENCHMARK(copy)->Name("memcpy");

/// The speed is that of each version.
template <class Op>
void reduce(benchmark::State& state)
{
    const auto versions = static_cast<std::size_t>(state.range(0));
    std::vector<std::vector<float>> data;
    for (std::size_t i = 0; i < versions; ++i) data.push_back(numbers(chunk, i));
    const std::vector<std::span<const float>> views(data.begin(), data.end());
    const std::vector<double> weights(versions, 1.0);
    std::vector<float> out(chunk);
    for (auto _ : state) {
        Op{}.reduce(std::span<const std::span<const float>>(views),
                    std::span<const double>(weights), std::span<float>(out));
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    set_speed(state, chunk * versions);
}
BENCHMARK(reduce<sum>)->Name("reduce/sum")->Arg(2)->Arg(4)->Arg(16);
BENCHMARK(reduce<mean>)->Name("reduce/mean")->Arg(4);
BENCHMARK(reduce<max>)->Name("reduce/max")->Arg(4);

template <class Codec>
void encode(benchmark::State& state)
{
    const auto from = numbers(chunk, 1);
    std::vector<std::byte> to(Codec{}.template bound<float>(chunk));
    for (auto _ : state) {
        benchmark::DoNotOptimize(Codec{}.encode(std::span(from), std::span(to)));
        benchmark::ClobberMemory();
    }
    set_speed(state, chunk);
}
BENCHMARK(encode<as_f16>)->Name("encode/as_f16");
BENCHMARK(encode<as_bf16>)->Name("encode/as_bf16");
BENCHMARK(encode<int8b>)->Name("encode/int8b");

template <class Codec>
void decode(benchmark::State& state)
{
    auto values = numbers(chunk, 1);
    std::vector<std::byte> from(Codec{}.template bound<float>(chunk));
    from.resize(Codec{}.encode(std::span<const float>(values), std::span(from)));
    for (auto _ : state) {
        Codec{}.decode(bytes(from), std::span(values));
        benchmark::DoNotOptimize(values.data());
        benchmark::ClobberMemory();
    }
    set_speed(state, chunk);
}
BENCHMARK(decode<as_f16>)->Name("decode/as_f16");
BENCHMARK(decode<as_bf16>)->Name("decode/as_bf16");
BENCHMARK(decode<int8b>)->Name("decode/int8b");

// ---- Waiting.

task<> nothing()
{
    co_return;
}

task<> await_many(benchmark::State& state)
{
    for (auto _ : state) {
        co_await nothing();
    }
}

void await_task(benchmark::State& state)
{
    thread_loop loop;
    sync_wait(loop, await_many(state));
}
BENCHMARK(await_task)->Name("await a task");

task<> yield_many(benchmark::State& state)
{
    for (auto _ : state) {
        co_await yield{};
    }
}

void await_yield(benchmark::State& state)
{
    thread_loop loop;
    sync_wait(loop, yield_many(state));
}
BENCHMARK(await_yield)->Name("await a turn of the loop");

task<> deliver_and_take_many(benchmark::State& state, mailbox& box)
{
    std::vector<std::byte> message(64);
    std::vector<std::byte> output(64);
    for (std::int64_t i = 0; i < state.range(0); ++i)
        box.deliver(1, tag{1'000'000 + static_cast<std::uint64_t>(i)}, message);
    std::uint64_t next = 0;
    for (auto _ : state) {
        const tag t{next++ % 1000};
        box.deliver(0, t, message);
        const auto size = co_await box.take(0, t, output);
        benchmark::DoNotOptimize(size);
    }
}

/// Delivers and takes a message of 64 bytes while `range(0)` others lie in the mailbox.
void deliver_and_take(benchmark::State& state)
{
    thread_loop loop;
    mailbox box;
    sync_wait(loop, deliver_and_take_many(state, box));
}
BENCHMARK(deliver_and_take)->Name("mailbox, deliver and take")->Arg(0)->Arg(10'000);

// ---- The whole.

task<> average(sim::transport& net, std::span<float> data)
{
    co_await all_reduce_in_place(net, data, mean{});
}

/// `range(0)` simulated peers with `range(1)` bytes each.
void simulate(benchmark::State& state)
{
    const auto peers = static_cast<int>(state.range(0));
    const auto elements = static_cast<std::size_t>(state.range(1)) / sizeof(float);
    std::vector<std::vector<float>> data(static_cast<std::size_t>(peers),
                                         std::vector<float>(elements, 1.0f));
    for (auto _ : state) {
        sim::weather w;
        w.peers = peers;
        sim::world world(w);
        world.run([&](sim::transport& net) {
            return average(net, data[static_cast<std::size_t>(net.rank())]);
        });
        state.counters["virtual_seconds"] =
            std::chrono::duration<double>(world.now().time_since_epoch()).count();
    }
}
BENCHMARK(simulate)
    ->Name("simulated all-reduce")
    ->Args({16, 1 << 20})
    ->Args({256, 1 << 20})
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace

}  // namespace papilio
