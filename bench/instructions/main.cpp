// All-reduces of four peers on one thread, for an instruction counter to watch: what is counted
// does not depend on what else the machine does. Run by the script beside it.
//
//     papilio-bench-instructions inproc|tcp identity|int8b BYTES CALLS

#include <papilio/async/asio_loop.hpp>
#include <papilio/codec/with_codec.hpp>
#include <papilio/papilio.hpp>
#include <papilio/transport/tcp.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using namespace papilio;

constexpr int peers = 4;

using measured = codec_list<identity, int8b>;

struct work {
    codec_id codec;
    std::size_t count;
    int calls;
};

template <class Net>
task<> live(Net& net, work w)
{
    std::vector<float> in(w.count), out(w.count);
    papilio::random noise(static_cast<std::uint64_t>(net.rank()) + 1);
    for (auto& x : in) x = static_cast<float>(noise.uniform()) - 0.5f;
    const auto reduce = [&](auto codec) { return all_reduce(net, in, out, mean{}, codec); };
    for (int i = 0; i < w.calls; ++i) {
        co_await with_codec(measured{}, w.codec, reduce);
    }
}

task<> all(std::vector<task<>> programs)
{
    co_await when_all(std::move(programs));
}

void over_memory(work w)
{
    thread_loop on;
    inproc::group group(peers, on);
    std::vector<task<>> programs;
    for (int rank = 0; rank < peers; ++rank) programs.push_back(live(group.peer(rank), w));
    sync_wait(on, all(std::move(programs)));
}

task<> connect_and_live(tcp::transport& net, work w)
{
    co_await net.connect();
    co_await live(net, w);
    co_await net.close();
}

void over_tcp(work w)
{
    asio_loop on;
    const std::vector<tcp::endpoint> anywhere(peers, tcp::endpoint{"127.0.0.1", 0});
    std::vector<std::unique_ptr<tcp::transport>> nets;
    for (int rank = 0; rank < peers; ++rank)
        nets.push_back(std::make_unique<tcp::transport>(on, rank, anywhere));
    for (auto& one : nets)
        for (auto& other : nets)
            if (one != other) one->set_address(other->rank(), other->local());
    std::vector<task<>> programs;
    for (auto& net : nets) programs.push_back(connect_and_live(*net, w));
    sync_wait(on, all(std::move(programs)));
}

}  // namespace

int main(int argc, char** argv)
try {
    const std::string_view over = argc == 5 ? argv[1] : "";
    const work w{.codec = codec_named(argc == 5 ? argv[2] : "identity", measured{}),
                 .count = argc == 5 ? std::strtoul(argv[3], nullptr, 10) / sizeof(float) : 0,
                 .calls = argc == 5 ? std::atoi(argv[4]) : 0};
    if ((over != "inproc" && over != "tcp") || w.count == 0 || w.calls < 1) {
        std::fputs("usage: papilio-bench-instructions inproc|tcp identity|int8b BYTES CALLS\n",
                   stderr);
        return 2;
    }
    over == "tcp" ? over_tcp(w) : over_memory(w);
} catch (const std::exception& failure) {
    std::fprintf(stderr, "papilio-bench-instructions: %s\n", failure.what());
    return 2;
}
