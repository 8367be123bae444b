// A communicator beside the bare call: two processes make the same all_reduces in turn by
// `sync_wait` on a loop of their own thread and by a communicator. Prints Markdown rows: the median
// time of a call, with its quartiles, and how often threads of the process were switched during a
// call, which is how often one was woken.
//
//     communicator [seconds for each row]

#include <papilio/async/asio_loop.hpp>
#include <papilio/papilio.hpp>
#include <papilio/session.hpp>
#include <papilio/transport/hybrid.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace pa = papilio;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::uint16_t first_port = 27400;

long switches()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_nvcsw;
}

std::vector<pa::tcp::endpoint> endpoints_from(int port)
{
    const auto at = [&](int i) { return static_cast<std::uint16_t>(port + i); };
    return {{"127.0.0.1", at(0)}, {"127.0.0.1", at(1)}};
}

/// The same links as the communicator's.
std::vector<pa::hybrid::address> addresses_from(int port, bool shares)
{
    std::vector<pa::hybrid::address> all;
    for (const auto& e : endpoints_from(port))
        all.push_back({e, {shares ? e.host : "", shares ? "bench-" + std::to_string(e.port) : ""}});
    return all;
}

struct figures {
    std::vector<double> us;
    double woken = 0;  ///< all calls together

    void print(const char* what, const char* links, std::size_t bytes)
    {
        std::ranges::sort(us);
        const auto at = [&](double share) {
            return us[static_cast<std::size_t>(share * static_cast<double>(us.size() - 1))];
        };
        std::printf("| %s | %s | %zu | %.1f | %.1f to %.1f | %.2f |\n", links, what, bytes, at(0.5),
                    at(0.25), at(0.75), woken / static_cast<double>(us.size()));
    }
};

template <class Call>
void measure(figures& into, int calls, const Call& call)
{
    const long before = switches();
    for (int i = 0; i < calls; ++i) {
        const auto begin = clock_type::now();
        call();
        into.us.push_back(
            std::chrono::duration<double, std::micro>(clock_type::now() - begin).count());
    }
    into.woken += static_cast<double>(switches() - before);
}

void compare(int rank, bool shares, std::size_t bytes, double seconds)
{
    const int port = first_port + (shares ? 10 : 0);
    pa::asio_loop loop;
    pa::hybrid::transport net(loop, rank, addresses_from(port, shares));
    pa::sync_wait(loop, net.connect());
    pa::communicator group(rank, endpoints_from(port + 4), {.shared_memory = shares});

    std::vector<float> in(bytes / sizeof(float), 1), out(in.size());
    const auto bare = [&] { pa::sync_wait(loop, pa::all_reduce(net, in, out, pa::sum{})); };
    const auto floor = [&] { group.all_reduce(in, out, pa::sum{}); };
    const int calls = bytes < 100'000 ? 100 : 10;
    figures warm, of_bare, of_floor;
    measure(warm, calls, bare);
    measure(warm, calls, floor);
    const auto begin = clock_type::now();
    for (bool more = true; more;) {
        measure(of_bare, calls, bare);
        measure(of_floor, calls, floor);
        float goes_on = clock_type::now() - begin < std::chrono::duration<double>(seconds) ? 1 : 0;
        group.broadcast(std::span(&goes_on, 1), 0);  // the first one says so to both
        more = goes_on > 0;
    }
    if (rank == 0) {
        const char* const links = shares ? "shared memory" : "TCP";
        of_bare.print("bare call", links, bytes);
        of_floor.print("communicator", links, bytes);
    }
    group.close();
    pa::sync_wait(loop, net.close());
}

}  // namespace

int main(int argc, char** argv)
{
    const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
    const auto other = ::fork();
    const int rank = other == 0 ? 1 : 0;
    if (rank == 0)
        std::printf(
            "| links | how | bytes | median, us | quartiles | switches a call |\n"
            "|---|---|---|---|---|---|\n");
    for (const bool shares : {false, true})
        for (const std::size_t kib : {1, 1024, 16384}) compare(rank, shares, kib * 1024, seconds);
    int status = 0;
    if (rank == 0) ::waitpid(other, &status, 0);
    return status != 0;
}
