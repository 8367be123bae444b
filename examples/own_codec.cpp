// A codec of one's own: one bit per element, which says on which side of zero it lies.

#include <papilio/papilio.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace pa = papilio;

struct sign {
    static constexpr pa::codec_id id = pa::codec_id::first_user;
    static constexpr std::size_t granule = 8;  // a chunk may end after any whole byte
    static constexpr bool lossless = false;

    template <class V>
    static constexpr std::size_t bound(std::size_t n)
    {
        return (n + 7) / 8;
    }

    template <class V>
    std::size_t encode(std::span<const V> values, pa::mutable_bytes output) const
    {
        std::ranges::fill(output.first(bound<V>(values.size())), std::byte{});
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!std::isfinite(values[i])) throw std::system_error(pa::errc::not_finite, "sign");
            if (values[i] < 0) output[i / 8] |= std::byte{1} << i % 8;
        }
        return bound<V>(values.size());
    }

    template <class V>
    void decode(pa::bytes encoded, std::span<V> out) const
    {
        const auto used = out.size() % 8;  // bits of the last byte, unless it is full
        if (encoded.size() != bound<V>(out.size()) ||
            (used != 0 && encoded.back() >> used != std::byte{}))
            throw std::system_error(pa::errc::bad_message);
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = (encoded[i / 8] >> i % 8 & std::byte{1}) == std::byte{} ? V(1) : V(-1);
    }
};

static_assert(pa::codec<sign, float>);

int main()
{
    pa::sim::world world{{.peers = 3}};
    world.run([](auto& net) -> pa::task<> {
        std::vector<float> votes{1.5f, -2.f, net.rank() == 0 ? 3.f : -3.f};
        const auto report = co_await pa::all_reduce_in_place(net, votes, pa::sum{}, sign{});
        std::printf("peer %d: %+g %+g %+g for %llu bytes\n", net.rank(), votes[0], votes[1],
                    votes[2], static_cast<unsigned long long>(report.bytes_sent()));
    });
}
