// An elastic run: four processes average round after round; one of them dies, and one comes late.

#include <papilio/session.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

void take_part(int number)
{
    if (number == 3) std::this_thread::sleep_for(1s);  // comes late
    pa::session run("127.0.0.1:27120", std::vector<float>(100'000), {.rounds = 12});
    while (!run.over()) {
        auto parameters = run.parameters();
        for (auto& p : parameters) p += 1;  // stands for training
        std::this_thread::sleep_for(200ms);
        const auto how = run.average(parameters);
        if (how.averaged)
            std::printf("round %u: %zu members, %.0f\n", how.round, how.members.size(),
                        how.mean[0]);
        std::fflush(stdout);
        if (number == 2 && how.round == 3) std::_Exit(0);  // dies
    }
}

int main()
{
    for (int number = 0; number < 4; ++number)
        if (::fork() == 0) return take_part(number), 0;
    const pa::session_host host({.listen = "127.0.0.1:27120", .min_members = 2, .rounds = 12});
    while (::wait(nullptr) > 0) continue;
}
