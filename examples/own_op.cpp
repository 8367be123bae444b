// An operation of one's own: the median, which one wild peer cannot move far.

#include <papilio/papilio.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace pa = papilio;

struct median {
    static constexpr pa::op_id id = pa::op_id::first_user;
    static constexpr bool in_stages = false;  // a median of medians is not the median

    template <class T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        std::vector<T> column(contributions.size());
        const auto middle = column.begin() + static_cast<std::ptrdiff_t>(column.size() / 2);
        for (std::size_t i = 0; i < out.size(); ++i) {
            for (std::size_t k = 0; k < column.size(); ++k) column[k] = contributions[k][i];
            std::ranges::nth_element(column, middle);
            out[i] = *middle;
        }
    }
};

static_assert(pa::operation<median, float>);

int main()
{
    pa::sim::world world{{.peers = 5}};
    world.run([](auto& net) -> pa::task<> {
        const auto honest = static_cast<float>(net.rank());
        std::vector<float> update{honest, net.rank() == 3 ? 1e30f : -honest};
        co_await pa::all_reduce_in_place(net, update, median{});
        std::printf("peer %d: %g %g\n", net.rank(), update[0], update[1]);
    });
}
