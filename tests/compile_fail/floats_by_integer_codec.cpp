// error: not a codec for these elements

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <algorithm>
#include <vector>

namespace pa = papilio;

struct integers_only {
    static constexpr pa::codec_id id = pa::codec_id::first_user;
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = true;

    template <pa::integer_element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        return n * sizeof(V);
    }

    template <pa::integer_element V>
    std::size_t encode(std::span<const V> values, pa::mutable_bytes output) const
    {
        std::ranges::copy(std::as_bytes(values), output.begin());
        return values.size_bytes();
    }

    template <pa::integer_element V>
    void decode(pa::bytes encoded, std::span<V> out) const
    {
        std::ranges::copy(encoded, std::as_writable_bytes(out).begin());
    }
};
static_assert(pa::codec<integers_only, int>);

pa::task<pa::report> call(pa::any_transport& net, std::vector<float>& data)
{
    return pa::all_reduce_in_place(net, data, pa::sum{}, integers_only{});
}
