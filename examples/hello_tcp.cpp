// The same over TCP: start `hello_tcp 0`, `hello_tcp 1` and `hello_tcp 2` side by side.

#include <papilio/papilio.hpp>
#include <papilio/transport/tcp.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

pa::task<> train(pa::tcp::transport& net)
{
    co_await net.connect();

    std::vector<float> gradient(1'000'000, static_cast<float>(net.rank()));
    co_await pa::all_reduce_in_place(net, gradient, pa::mean{}, pa::int8b{}, {.timeout = 30s});
    std::printf("peer %d of %d: the mean is %.2f\n", net.rank(), net.size(), gradient[0]);

    co_await net.close();
}

int main(int argc, char** argv)
try {
    const int rank = argc == 2 ? std::atoi(argv[1]) : -1;
    if (rank < 0 || rank > 2) {
        std::fprintf(stderr, "usage: hello_tcp RANK, once for each RANK of 0, 1 and 2\n");
        return 2;
    }
    pa::asio_loop loop;
    pa::tcp::transport net(loop, rank,
                           {{"127.0.0.1", 27100}, {"127.0.0.1", 27101}, {"127.0.0.1", 27102}});
    pa::sync_wait(loop, train(net));
} catch (const std::exception& failure) {
    std::fprintf(stderr, "hello_tcp: %s\n", failure.what());
    return 1;
}
