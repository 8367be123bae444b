// An elastic run whose members train on while their last update is averaged: a round costs them no
// time, and what they learn meanwhile is in the next one.

#include <papilio/session.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

void train(std::vector<float>& parameters)
{
    for (auto& p : parameters) p += 1;
    std::this_thread::sleep_for(50ms);
}

void take_part()
{
    pa::session run("127.0.0.1:27150", std::vector<float>(100'000), {.rounds = 10});
    auto mine = run.parameters();
    while (!run.over()) {
        const auto sent = mine;  // the call's, until its future is ready
        auto call = run.start().average(sent);
        train(mine);
        const auto how = call.get();  // throws what the call threw
        const auto agreed = run.parameters();
        for (std::size_t i = 0; i < mine.size(); ++i) mine[i] += agreed[i] - sent[i];
        std::printf("round %u of %zu: %.0f, and %.0f ahead\n", how.round, how.members.size(),
                    agreed[0], mine[0] - agreed[0]);
        std::fflush(stdout);
    }
}

int main()
{
    for (int number = 0; number < 2; ++number)
        if (::fork() == 0) return take_part(), 0;
    const pa::session_host host({.listen = "127.0.0.1:27150", .min_members = 2, .rounds = 10});
    while (::wait(nullptr) > 0) continue;
}
