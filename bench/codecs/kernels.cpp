// The codecs' loops, on runs that stay in the second-level cache and on runs that do not, each
// beside memcpy of as many floats. Passes of both take turns, and of each the best counts, so that
// a busy machine disturbs the rates little and the ratios less. Times are the thread's own.

#include "codecs/kernels.hpp"
#include "codecs/list.hpp"

#include <papilio/base/random.hpp>
#include <papilio/collective/engine/reduce_slice.hpp>
#include <papilio/op/mean.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio::bench {

namespace {

using seconds = std::chrono::duration<double>;

/// Which benchmarks are run, and how often.
struct extent {
    std::vector<std::int64_t> sizes;  // in bytes of floats
    std::vector<int> threads;
    benchmark::IterationCount iterations;  // 0: as many as --benchmark_min_time asks for
};
const extent everything{{64 << 10, 4 << 20, 256 << 20}, {1, 2}, 0};
const extent within_a_minute{{64 << 10, 64 << 20}, {1}, 5};

/// Kept until another count is asked for, as making them takes longer than a pass.
std::shared_ptr<const std::vector<float>> cycled_numbers(std::size_t count)
{
    static std::mutex mutex;
    static std::shared_ptr<const std::vector<float>> made;
    const std::lock_guard lock(mutex);
    if (made && made->size() == count) return made;
    made.reset();
    random source(1);
    std::vector<float> all(count);
    for (std::size_t i = 0; i < count; ++i)
        all[i] = i < 65536 ? static_cast<float>(source.normal()) : all[i - 65536];
    return made = std::make_shared<const std::vector<float>>(std::move(all));
}

template <class Codec>
std::vector<std::byte> encoded(const std::vector<float>& values)
{
    std::vector<std::byte> output(Codec{}.template bound<float>(values.size()));
    output.resize(Codec{}.encode(std::span(values), mutable_bytes(output)));
    return output;
}

/// How long this thread has run, which other programs do not make longer by taking its turns.
seconds run_time()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// How long a pass takes, from several at a time where one is over before the clock ticks.
template <class Pass>
seconds timed(std::size_t passes, Pass pass)
{
    const auto begin = run_time();
    for (std::size_t i = 0; i < passes; ++i) {
        pass();
        benchmark::ClobberMemory();
    }
    return (run_time() - begin) / static_cast<double>(passes);
}

/// Runs `pass` over `floats` floats in turn with memcpy of `values`, and reports both rates in GB/s
/// of floats. `bits` is what an element takes when encoded.
template <class Pass>
void measure(benchmark::State& state, const std::vector<float>& values, std::size_t floats,
             double bits, Pass pass)
{
    std::vector<float> copy(values.size());
    const std::size_t passes = std::max<std::size_t>((1 << 20) / floats, 1);
    seconds best(1e9), best_copy(1e9);
    for (auto _ : state) {
        best_copy = std::min(best_copy, timed(passes, [&] {
                                 std::memcpy(copy.data(), values.data(), values.size() * 4);
                             }));
        const auto time = timed(passes, pass);
        best = std::min(best, time);
        state.SetIterationTime(time.count());
    }
    const double rate = static_cast<double>(floats * 4) / best.count() / 1e9;
    const double copy_rate = static_cast<double>(values.size() * 4) / best_copy.count() / 1e9;
    state.counters["GB/s"] = rate;
    state.counters["memcpy"] = copy_rate;
    state.counters["of memcpy"] = {rate / copy_rate, benchmark::Counter::kAvgThreads};
    state.counters["bits"] = {bits, benchmark::Counter::kAvgThreads};
}

template <class Codec>
double bits(std::size_t floats)
{
    return 8 * static_cast<double>(Codec{}.template bound<float>(floats)) /
           static_cast<double>(floats);
}

template <class Codec>
void encode(benchmark::State& state)
{
    const auto n = static_cast<std::size_t>(state.range(0)) / 4;
    const auto numbers = cycled_numbers(n);
    const auto& values = *numbers;
    auto output = encoded<Codec>(values);
    output.resize(Codec{}.template bound<float>(n));
    measure(state, values, n, bits<Codec>(n),
            [&] { Codec{}.encode(std::span(values), mutable_bytes(output)); });
}

template <class Codec>
void decode(benchmark::State& state)
{
    const auto n = static_cast<std::size_t>(state.range(0)) / 4;
    const auto numbers = cycled_numbers(n);
    const auto& values = *numbers;
    const auto from = encoded<Codec>(values);
    std::vector<float> out(n);
    measure(state, values, n, bits<Codec>(n), [&] { Codec{}.decode(bytes(from), std::span(out)); });
}

template <class Codec>
void accumulate(benchmark::State& state)
{
    const auto n = static_cast<std::size_t>(state.range(0)) / 4;
    const auto numbers = cycled_numbers(n);
    const auto& values = *numbers;
    const auto from = encoded<Codec>(values);
    std::vector<float> sums(n), decoded(sliced_codec<Codec, float> ? 0 : n);
    measure(state, values, n, bits<Codec>(n), [&] {
        if constexpr (sliced_codec<Codec, float>) {
            Codec{}.accumulate_slice(bytes(from), 0, n, std::span(sums));
        } else {
            Codec{}.decode(bytes(from), std::span(decoded));
            for (std::size_t i = 0; i < n; ++i) sums[i] += decoded[i];
        }
    });
}

/// Eight versions become their mean, encoded: what the owner of a part does. The rate is that of
/// all versions together.
template <class Codec>
void reduce(benchmark::State& state)
{
    constexpr std::size_t peers = 8;
    const auto n = static_cast<std::size_t>(state.range(0)) / 4;
    const auto numbers = cycled_numbers(n);
    const auto& values = *numbers;
    const std::vector<std::vector<std::byte>> versions(peers, encoded<Codec>(values));
    auto output = versions[0];
    const std::vector<double> weights(peers, 1);
    detail::pooled_buffer scratch;
    std::vector<float> reduced(detail::slice_size<Codec::granule>);
    measure(state, values, peers * n, bits<Codec>(n), [&] {
        for (std::size_t begin = 0; begin < n; begin += reduced.size()) {
            const auto to = std::span(reduced).first(std::min(reduced.size(), n - begin));
            const auto read = [&](std::size_t k, std::span<float> out, auto adds) {
                if constexpr (adds)
                    Codec{}.accumulate_slice(bytes(versions[k]), begin, n, out);
                else
                    Codec{}.decode_slice(bytes(versions[k]), begin, n, out);
            };
            detail::reduce_slice(mean{}, std::span(weights), read, scratch, to);
            Codec{}.encode_slice(std::span<const float>(to), begin, n, mutable_bytes(output));
        }
    });
}

void add(const std::string& name, void (*run)(benchmark::State&), const extent& wanted)
{
    for (const int threads : wanted.threads) {
        auto* added = benchmark::RegisterBenchmark(name.c_str(), run)
                          ->Threads(threads)
                          ->UseManualTime()
                          ->Unit(benchmark::kMicrosecond);
        for (const auto size : wanted.sizes) added->Arg(size);
        if (wanted.iterations > 0) added->Iterations(wanted.iterations);
    }
}

int run(int argc, char** argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}

}  // namespace

int run_kernels(int argc, char** argv)
{
    for_each_codec([](const std::string& name, auto codec) {
        using kind = decltype(codec);
        add("encode/" + name, encode<kind>, everything);
        add("decode/" + name, decode<kind>, everything);
        add("accumulate/" + name, accumulate<kind>, everything);
        if constexpr (sliced_codec<kind, float>) add("reduce8/" + name, reduce<kind>, everything);
    });
    return run(argc, argv);
}

int run_few_kernels(int argc, char** argv)
{
    for_each_codec([](const std::string& name, auto codec) {
        using kind = decltype(codec);
        add("encode/" + name, encode<kind>, within_a_minute);
        add("accumulate/" + name, accumulate<kind>, within_a_minute);
    });
    return run(argc, argv);
}

}  // namespace papilio::bench
