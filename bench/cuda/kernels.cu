// How fast the kernels are, beside a copy within the device's memory: a Markdown table of GB/s of
// floats. An argument says how many MiB of them, 1024 unless told. Exits with 77 without a GPU.

#include <papilio/codec.hpp>
#include <papilio/cuda/codec.cuh>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace papilio;

namespace {

void must(cudaError_t result)
{
    if (result == cudaSuccess) return;
    std::printf("CUDA: %s\n", cudaGetErrorString(result));
    std::exit(1);
}

/// The median of eleven launches, after two to warm up, in seconds.
template <class Launch>
double seconds(Launch launch)
{
    cudaEvent_t begin, end;
    must(cudaEventCreate(&begin));
    must(cudaEventCreate(&end));
    std::vector<float> milliseconds;
    for (int i = 0; i < 13; ++i) {
        must(cudaEventRecord(begin));
        launch();
        must(cudaEventRecord(end));
        must(cudaEventSynchronize(end));
        float took = 0;
        must(cudaEventElapsedTime(&took, begin, end));
        if (i >= 2) milliseconds.push_back(took);
    }
    must(cudaEventDestroy(begin));
    must(cudaEventDestroy(end));
    std::sort(milliseconds.begin(), milliseconds.end());
    return milliseconds[milliseconds.size() / 2] / 1e3;
}

struct memory {
    std::size_t n = 0;
    float* values = nullptr;
    float* sums = nullptr;
    std::byte* encoded[8] = {};
    std::byte* result = nullptr;
    cuda::flag* refused = nullptr;
};

__global__ void fill(float* values, std::size_t n)
{
    for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < n;
         i += std::size_t{gridDim.x} * blockDim.x) {
        // The sum of four uniform numbers: like normal ones.
        std::uint64_t x = i * 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        float sum = -2;
        for (int part = 0; part < 4; ++part)
            sum += static_cast<float>(x >> 16 * part & 0xffff) / 65536;
        values[i] = sum;
    }
}

/// Floats as many times per second as a copy of them: a copy reads and writes each.
template <class Codec, class Back>
void measure(const char* name, Codec codec, Back back, const memory& with, double copied)
{
    const auto n = with.n;
    const auto size = codec.template bound<float>(n), back_size = back.template bound<float>(n);
    const std::span<float> values(with.values, n), sums(with.sums, n);
    const auto rate = [&](double took, double floats) { return floats * 4 / took / 1e9; };
    const auto encoding = seconds([&] {
        cuda::encode(codec, std::span<const float>(values), {with.encoded[0], size}, with.refused,
                     nullptr);
    });
    std::vector<bytes> contributions;
    for (auto* one : with.encoded) {
        must(cudaMemcpy(one, with.encoded[0], size, cudaMemcpyDeviceToDevice));
        contributions.emplace_back(one, size);
    }
    must(cudaMemset(with.sums, 0, n * sizeof(float)));
    const auto adding =
        seconds([&] { cuda::accumulate(codec, contributions[0], sums, with.refused, nullptr); });
    const auto decoding =
        seconds([&] { cuda::decode(codec, contributions[0], sums, with.refused, nullptr); });
    const auto reducing = seconds([&] {
        cuda::reduce_and_encode(mean{}, codec, contributions, {}, n, back, {with.result, back_size},
                                {}, with.refused, nullptr);
    });
    cuda::flag refused[9] = {};
    must(cudaMemcpy(refused, with.refused, sizeof refused, cudaMemcpyDeviceToHost));
    for (const auto flag : refused)
        if (flag != 0) std::printf("%s refused something\n", name), std::exit(1);

    const auto floats = static_cast<double>(n);
    const auto moved = [&](double took, double bytes) { return bytes / took / 1e9 / copied; };
    const auto coded = static_cast<double>(size), written = static_cast<double>(back_size);
    std::printf("| `%s` | %.0f (%.2f) | %.0f (%.2f) | %.0f (%.2f) | %.0f (%.2f) |\n", name,
                rate(encoding, floats), moved(encoding, 4 * floats + coded), rate(decoding, floats),
                moved(decoding, 4 * floats + coded), rate(adding, floats),
                moved(adding, 8 * floats + coded), rate(reducing, 8 * floats),
                moved(reducing, 8 * coded + written));
}

}  // namespace

int main(int count, char** arguments)
{
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        std::printf("SKIPPED: there is no GPU\n");
        return 77;
    }
    const std::size_t mib = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1024;
    memory with;
    with.n = mib << 18;
    const auto size = with.n * sizeof(float);
    must(cudaMalloc(&with.values, size));
    must(cudaMalloc(&with.sums, size));
    for (auto& one : with.encoded) must(cudaMalloc(&one, size));
    must(cudaMalloc(&with.result, size));
    must(cudaMalloc(&with.refused, 9 * sizeof(cuda::flag)));
    must(cudaMemset(with.refused, 0, 9 * sizeof(cuda::flag)));
    fill<<<1024, 256>>>(with.values, with.n);
    must(cudaDeviceSynchronize());

    const auto took = seconds(
        [&] { must(cudaMemcpyAsync(with.sums, with.values, size, cudaMemcpyDeviceToDevice)); });
    const double copied = 2 * static_cast<double>(size) / took / 1e9;
    cudaDeviceProp device;
    must(cudaGetDeviceProperties(&device, 0));
    std::printf(
        "%s, %zu MiB of floats, medians of eleven launches. A copy within the device moves %.0f "
        "GB/s, read and written. GB/s of floats, and in brackets the bytes read and written "
        "per second over those of the copy.\n\n",
        device.name, mib, copied);
    std::printf("| codec | encode | decode | decode and add | mean of 8, encoded |\n");
    std::printf("|---|---|---|---|---|\n");
    measure("identity", identity{}, identity{}, with, copied);
    measure("as_f16", as_f16{}, as_f16{}, with, copied);
    measure("as_bf16", as_bf16{}, as_bf16{}, with, copied);
    measure("int8b", int8b{}, int8b{}, with, copied);
    measure("int4b<32>", int4b<32>{}, int4b<32>{}, with, copied);
    measure("int4b<128>", int4b<128>{}, int4b<128>{}, with, copied);
    measure("fp8<e4m3>", fp8<e4m3>{}, fp8<e4m3>{}, with, copied);
    measure("fp8<e5m2>", fp8<e5m2>{}, fp8<e5m2>{}, with, copied);
    measure("topk<64>, back by int8b", topk<64>{}, int8b{}, with, copied);
    measure("topk<64, two_bit_values>, back by int8b", topk<64, two_bit_values>{}, int8b{}, with,
            copied);
    return 0;
}
