#pragma once

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace papilio::example {

/// Turns the first of some signals, and of SIGHUP, into a stop request; the second ends the program
/// at once. SIGHUP stays ignored where it was, as by nohup. After `minutes`, unless that is 0,
/// requests a stop, too. There may be one object at a time; its end restores what signals did.
class signals {
public:
    explicit signals(double minutes = 0, std::initializer_list<int> stopping = {SIGINT, SIGTERM});
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

    /// The signal that has requested the stop; 0: none has.
    int number() const { return number_.load(); }

private:
    void take(int number, const struct sigaction& action);
    void listen(double minutes);

    std::vector<std::pair<int, struct sigaction>> before_;  // what each signal did
    std::atomic<int> number_ = 0;
    std::stop_source stop_;
    std::thread listener_;
};

}  // namespace papilio::example
