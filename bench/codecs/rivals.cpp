#include "codecs/modes.hpp"

#include <papilio/base/random.hpp>
#include <papilio/codec.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace papilio::bench {

namespace {

using pass = std::function<void()>;

/// GB/s of `size` bytes each: passes take turns for half a second and three times, but not again
/// after five seconds, and the median of each counts. `renew` comes before each pass, and is not
/// timed.
std::vector<double> rates(
    std::size_t size, const std::vector<pass>& passes, const pass& renew = [] {})
{
    using clock = std::chrono::steady_clock;
    std::vector<std::vector<double>> times(passes.size());
    const auto begin = clock::now();
    const auto enough = [&] {
        const std::chrono::duration<double> past = clock::now() - begin;
        return past.count() > (times[0].size() < 3 ? 5 : 0.5);
    };
    while (times[0].empty() || !enough()) {
        for (std::size_t k = 0; k < passes.size(); ++k) {
            renew();
            const auto start = clock::now();
            passes[k]();
            times[k].push_back(std::chrono::duration<double>(clock::now() - start).count());
        }
    }
    std::vector<double> found;
    for (auto& of : times) {
        const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
        std::nth_element(of.begin(), middle, of.end());
        found.push_back(static_cast<double>(size) / *middle / 1e9);
    }
    return found;
}

std::vector<float> numbers(std::size_t count)
{
    papilio::random source(1);
    std::vector<float> all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<float>(source.normal());
    return all;
}

void print_row(const std::string& name, std::size_t size, const char* rival, double ours,
               double theirs)
{
    std::printf("| %s | %zu KiB | %.2f | %s | %.3f | %.1f |\n", name.c_str(), size >> 10, ours,
                rival, theirs, ours / theirs);
}

// ---- numpy.

/// The python that has numpy; empty if none does.
std::string python()
{
    for (const char* candidate : {"python3", "/usr/bin/python3"})
        if (std::system((std::string(candidate) + " -c 'import numpy' 2>/dev/null").c_str()) == 0)
            return candidate;
    return {};
}

/// What the script says about a codec and `size` bytes: rates to encode and to decode.
std::vector<double> numpy_rates(const std::string& with, const std::string& codec, std::size_t size)
{
    const auto command = with + " '" PAPILIO_BENCH_NUMPY "' " + codec + ' ' + std::to_string(size);
    const auto close = [](std::FILE* pipe) { pclose(pipe); };
    const std::unique_ptr<std::FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
    double encoding = 0, decoding = 0;
    if (!pipe || std::fscanf(pipe.get(), "%lf %lf", &encoding, &decoding) != 2)
        throw std::runtime_error("failed: " + command);
    return {encoding, decoding};
}

/// The middle one of three turns, of each rate.
std::vector<double> middle(std::array<std::vector<double>, 3> turns)
{
    std::vector<double> found;
    for (std::size_t i = 0; i < turns[0].size(); ++i) {
        std::array<double, 3> rates{turns[0][i], turns[1][i], turns[2][i]};
        std::ranges::sort(rates);
        found.push_back(rates[1]);
    }
    return found;
}

template <class Codec>
void beside_numpy(const std::string& with, const std::string& name, std::size_t size)
{
    const auto values = numbers(size / 4);
    const Codec codec;
    std::vector<float> out(values.size());
    std::vector<std::byte> output(codec.template bound<float>(values.size()));
    std::size_t encoded = 0;
    std::array<std::vector<double>, 3> numpy, own;
    for (std::size_t turn = 0; turn < 3; ++turn) {
        numpy[turn] = numpy_rates(with, name, size);
        own[turn] =
            rates(size, {[&] { encoded = codec.encode(std::span(values), mutable_bytes(output)); },
                         [&] { codec.decode(bytes(output).first(encoded), std::span(out)); }});
    }
    const auto ours = middle(own), theirs = middle(numpy);
    print_row(name + " encode", size, "numpy", ours[0], theirs[0]);
    print_row(name + " decode", size, "numpy", ours[1], theirs[1]);
}

void beside_numpy(const std::string& with, std::size_t size)
{
    beside_numpy<hivemind::float16>(with, "float16", size);
    beside_numpy<hivemind::meanstd16>(with, "meanstd16", size);
    beside_numpy<hivemind::uniform8>(with, "uniform8", size);
    beside_numpy<hivemind::quantile8>(with, "quantile8", size);
    beside_numpy<hivemind::blockwise8>(with, "blockwise8", size);
}

// ---- The standard library.

/// The 64 largest magnitudes of every 4096 by std::nth_element, which is given a copy of them.
void choose_by_nth_element(const std::vector<float>& values, std::vector<float>& chosen)
{
    float magnitudes[4096];
    for (std::size_t begin = 0; begin + 4096 <= values.size(); begin += 4096) {
        for (std::size_t i = 0; i < 4096; ++i) magnitudes[i] = std::abs(values[begin + i]);
        std::nth_element(magnitudes, magnitudes + 64, magnitudes + 4096, std::greater<>());
        std::copy_n(magnitudes, 64, chosen.begin());
    }
}

/// Each pass has numbers of its own: nth_element's branches, met again, would be known by heart.
void beside_nth_element(std::size_t size)
{
    const auto pool = numbers(std::max(size / 4, std::size_t{16} << 20));
    std::vector<float> values(size / 4), chosen(64);
    const topk<64> codec;
    std::vector<std::byte> output(codec.bound<float>(values.size()));
    std::size_t at = 0;
    const auto renew = [&] {
        if (at + values.size() > pool.size()) at = 0;
        std::copy_n(pool.data() + at, values.size(), values.data());
        at += values.size();
    };
    const auto both =
        rates(size,
              {[&] { codec.encode(std::span<const float>(values), mutable_bytes(output)); },
               [&] { choose_by_nth_element(values, chosen); }},
              renew);
    print_row("topk<64> encode", size, "std::nth_element", both[0], both[1]);
}

}  // namespace

void print_rivals(const std::vector<std::size_t>& wanted)
{
    auto sizes = wanted;
    if (sizes.empty()) sizes = {64 << 10, 1 << 20, 4 << 20, 256 << 20};
    for (auto& size : sizes) size = std::max<std::size_t>(size / 16384 * 16384, 16384);
    const auto with = python();
    if (with.empty())
        std::cerr << "*** No numpy here (Debian's python3-numpy): hivemind's codecs are NOT "
                     "compared.\n";
    std::puts("| codec | floats | GB/s | rival | its GB/s | times faster |");
    std::puts("|---|---|---|---|---|---|");
    for (const auto size : sizes) {
        if (!with.empty()) beside_numpy(with, size);
        beside_nth_element(size);
        std::fflush(stdout);
    }
}

}  // namespace papilio::bench
