// Three peers send a large and a small tensor, over a fast link and over a slow one, each time by
// the codec that suits best. All of them choose alike, since they know the same facts.

#include <papilio/codec/choice.hpp>
#include <papilio/codec/with_codec.hpp>
#include <papilio/papilio.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;

using choices = pa::codec_list<pa::as_bf16, pa::int8b, pa::int4b<32>>;

// Bits per element, squared error, and elements that a core encodes and decodes per second.
const std::vector<pa::codec_figures> figures{
    {pa::codec_id::as_bf16, 16, 2.8e-6, 4e9, 6e9},
    {pa::codec_id::int8b, 8.125, 4.2e-5, 5e9, 5e9},
    {pa::codec_id::int4b_32, 4.5, 9.5e-3, 4e9, 5e9},
};

// Norms and biases are small and matter much.
const std::vector<pa::codec_rule> rules{
    {.use = pa::codec_id::as_bf16, .max_dimensions = 1},
    {.use = pa::codec_id::as_bf16, .at_most = 1024},
};

pa::codec_id choose(const pa::tensor_facts& tensor, double bytes_per_second)
{
    if (const auto rule = pa::rule_for(tensor, rules)) return *rule;
    return pa::fastest_codec(figures, {.link_bytes_per_second = bytes_per_second}).id;
}

int main()
{
    pa::sim::world world{{.peers = 3}};
    world.run([](auto& net) -> pa::task<> {
        for (const double megabits : {100.0, 40'000.0}) {
            for (const std::size_t size : {1'000u, 100'000u}) {
                std::vector<float> tensor(size, 1.0f);
                const auto id = choose({.name = "layer", .elements = size}, megabits * 1e6 / 8);
                const auto reduce = [&](auto codec) {
                    return pa::all_reduce_in_place(net, tensor, pa::mean{}, codec);
                };
                const auto report = co_await pa::with_codec(choices{}, id, reduce);
                if (net.rank() == 0)
                    std::printf("%6.0f Mbit/s, %6zu elements: %s, %llu bytes\n", megabits, size,
                                pa::name(report.codec),
                                static_cast<unsigned long long>(report.bytes_sent()));
            }
        }
    });
}
