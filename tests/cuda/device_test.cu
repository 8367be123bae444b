// The kernels on a GPU against the codecs on the host, byte by byte. Exits with 77 where there is
// no GPU. An argument says how many elements, 2^24 + 77 unless told.

#include <papilio/codec.hpp>
#include <papilio/cuda/codec.cuh>

#include "cuda/inputs.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace papilio;
using namespace papilio::cuda_testing;

namespace {

int failures = 0;

void must(cudaError_t result)
{
    if (result == cudaSuccess) return;
    std::printf("CUDA: %s\n", cudaGetErrorString(result));
    std::exit(1);
}

/// Memory of the device, `offset` bytes beyond a boundary.
template <class T>
class on_device {
public:
    explicit on_device(std::size_t size, std::size_t offset = 0) : size_(size), offset_(offset)
    {
        must(cudaMalloc(&begin_, size * sizeof(T) + offset + 1));
        must(cudaMemset(begin_, 0x5a, size * sizeof(T) + offset + 1));
    }
    on_device(std::span<const T> from, std::size_t offset = 0) : on_device(from.size(), offset)
    {
        must(cudaMemcpy(data(), from.data(), from.size_bytes(), cudaMemcpyHostToDevice));
    }
    on_device(const on_device&) = delete;
    ~on_device() { cudaFree(begin_); }

    T* data() const { return reinterpret_cast<T*>(static_cast<std::byte*>(begin_) + offset_); }
    std::span<T> all() const { return {data(), size_}; }
    std::vector<T> back() const
    {
        std::vector<T> there(size_);
        must(cudaMemcpy(there.data(), data(), size_ * sizeof(T), cudaMemcpyDeviceToHost));
        return there;
    }

private:
    void* begin_ = nullptr;
    std::size_t size_;
    std::size_t offset_;
};

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

void expect(bool holds, const char* what, codec_id id, input kind, std::size_t n)
{
    if (holds) return;
    ++failures;
    std::printf("%s: %s, input %d of %zu\n", name(id), what, static_cast<int>(kind), n);
}

template <class Codec>
bool encoded_here(Codec codec, const std::vector<float>& values, std::vector<std::byte>& encoded)
{
    encoded.assign(codec.template bound<float>(values.size()), std::byte{0x5a});
    try {
        codec.encode(std::span<const float>(values), encoded);
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

template <class Codec>
void compare_reducing(Codec codec, std::size_t n, std::size_t offset)
{
    constexpr std::size_t peers = 3;
    std::vector<std::vector<float>> decoded(peers, std::vector<float>(n));
    std::vector<std::span<const float>> spans;
    std::vector<on_device<std::byte>*> contributions;
    std::vector<bytes> there;
    for (std::size_t k = 0; k < peers; ++k) {
        std::vector<std::byte> made;
        encoded_here(codec, some_input(input::normal, n, k + 5), made);
        codec.decode(made, std::span<float>(decoded[k]));
        spans.emplace_back(decoded[k]);
        contributions.push_back(new on_device<std::byte>(made, offset));
        there.emplace_back(contributions.back()->all());
    }
    std::vector<float> expected(n);
    mean{}.reduce(std::span<const std::span<const float>>(spans), {}, std::span<float>(expected));
    std::vector<std::byte> travels;
    encoded_here(int8b{}, expected, travels);
    std::vector<float> result(n);
    int8b{}.decode(travels, std::span<float>(result));

    const std::vector<cuda::flag> none(peers + 1);
    const on_device<cuda::flag> refused(none);
    const on_device<float> out(n, offset / 4 * 4);
    const on_device<std::byte> output(travels.size(), offset);
    cuda::reduce(mean{}, codec, there, {}, out.all(), refused.data(), nullptr);
    expect(same(out.back(), expected), "another mean", codec.id, input::normal, n);
    cuda::reduce_and_encode(mean{}, codec, there, {}, n, int8b{}, output.all(), out.all(),
                            refused.data(), nullptr);
    expect(same(output.back(), travels), "another mean, encoded", codec.id, input::normal, n);
    expect(same(out.back(), result), "another mean for its owner", codec.id, input::normal, n);
    expect(same(refused.back(), none), "refuses to reduce", codec.id, input::normal, n);
    for (auto* contribution : contributions) delete contribution;
}

template <class Codec>
void compare(Codec codec, input kind, std::size_t n, std::size_t offset)
{
    const auto values = some_input(kind, n, n + 1);
    std::vector<std::byte> encoded;
    const bool taken = encoded_here(codec, values, encoded);

    const std::vector<cuda::flag> none(1);
    const on_device<cuda::flag> refused(none);
    const on_device<float> from(values, offset / 4 * 4);
    const on_device<std::byte> output(encoded.size(), offset);
    cuda::encode(codec, from.all(), output.all(), refused.data(), nullptr);
    expect(same(refused.back(), none) == taken, "disagrees on what it takes", codec.id, kind, n);
    if (!taken) return;
    expect(same(output.back(), encoded), "other bytes", codec.id, kind, n);

    std::vector<float> decoded(n);
    codec.decode(encoded, std::span<float>(decoded));
    const on_device<float> to(n, offset / 4 * 4);
    cuda::decode(codec, bytes(output.all()), to.all(), refused.data(), nullptr);
    expect(same(to.back(), decoded), "decodes otherwise", codec.id, kind, n);

    // A NaN among sums would have other bits.
    if (kind == input::any_bits || kind == input::one_nan || kind == input::one_infinity) return;
    auto sums = some_input(input::normal, n, 99);
    const on_device<float> added(sums, offset / 4 * 4);
    cuda::accumulate(codec, bytes(output.all()), added.all(), refused.data(), nullptr);
    for (std::size_t i = 0; i < n; ++i) sums[i] += decoded[i];
    expect(same(added.back(), sums), "adds otherwise", codec.id, kind, n);
    expect(same(refused.back(), none), "refuses what it wrote", codec.id, kind, n);
}

template <class Codec>
void compare(Codec codec, std::size_t most)
{
    for (const auto kind : inputs) compare(codec, kind, most / std::size(inputs) + 1, 0);
    compare(codec, input::normal, most, 0);
    compare(codec, input::any_bits, most, 0);
    for (const auto n : sizes) {
        if (n == 0) continue;
        for (const auto kind : inputs) compare(codec, kind, n, n % 5);
        compare_reducing(codec, n, n % 3);
    }
    compare_reducing(codec, most, 0);

    std::vector<std::byte> broken(codec.template bound<float>(5000), std::byte{0xff});
    const on_device<std::byte> from(broken);
    const on_device<float> to(5000);
    const on_device<cuda::flag> refused(std::vector<cuda::flag>(1));
    cuda::decode(codec, bytes(from.all()), to.all(), refused.data(), nullptr);
    expect(refused.back()[0] == (Codec::lossless ? 0 : 1), "takes what nobody wrote", codec.id,
           input::any_bits, 5000);
    std::printf("%s: compared\n", name(codec.id));
}

}  // namespace

int main(int count, char** arguments)
{
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        std::printf("SKIPPED: there is no GPU\n");
        return 77;
    }
    const std::size_t most = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : (1u << 24) + 77;
    compare(identity{}, most);
    compare(as_f16{}, most);
    compare(as_bf16{}, most);
    compare(int8b{}, most);
    compare(int4b<32>{}, most);
    compare(int4b<128>{}, most);
    compare(fp8<e4m3>{}, most);
    compare(fp8<e5m2>{}, most);
    compare(topk<64>{}, most);
    compare(topk<64, two_bit_values>{}, most);
    compare(topk<64, sign_values>{}, most);
    std::printf("%d differences\n", failures);
    return failures == 0 ? 0 : 1;
}
