// Four peers in one process average a vector, eight bits to the element.

#include <papilio/papilio.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;

pa::task<> average(pa::transport auto& net)
{
    std::vector<float> mine(1'000'000, static_cast<float>(net.rank()));
    std::vector<float> mean(mine.size());

    const auto report = co_await pa::all_reduce(net, mine, mean, pa::mean{}, pa::int8b{});

    std::printf("peer %d of %d: the mean is %.2f, made of %zu peers, for %llu bytes sent\n",
                net.rank(), net.size(), mean[0], report.made_of[0].from.size(),
                static_cast<unsigned long long>(report.bytes_sent()));
}

pa::task<> everybody(pa::inproc::group& peers)
{
    std::vector<pa::task<>> work;
    for (int rank = 0; rank < peers.size(); ++rank) work.push_back(average(peers.peer(rank)));
    co_await pa::when_all(std::move(work));
}

int main()
{
    pa::thread_loop loop;
    pa::inproc::group peers(4, loop);
    pa::sync_wait(loop, everybody(peers));
}
