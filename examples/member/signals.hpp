#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace papilio::example {

/// Turns the first of some signals, and of SIGHUP, into a stop request; the second ends the program
/// at once. SIGHUP stays ignored where it was, as by nohup. After `minutes`, unless that is 0,
/// requests a stop, too. There may be one object at a time; its end restores what signals did.
class signals {
public:
    /// SIGINT, SIGTERM and SIGHUP stop the program. At the first, people are told on stderr what it
    /// does then, such as "leaving the run", and that a second one ends it at once.
    explicit signals(std::string does, double minutes = 0);

    /// The same for a program that tells people itself, and that `ending` stops for good: after one
    /// of the others, too, `ending` is no second signal, but requests the end.
    signals(double minutes, int ending);
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

    /// Whether the signal `ending` has come, as the first or after another.
    std::stop_token end_token() const { return end_.get_token(); }

    /// The signal that has requested the stop; 0: none has.
    int number() const { return number_.load(); }

private:
    void begin(double minutes);
    void take(int number, const struct sigaction& action);
    void listen(double minutes);
    void receive(int number);

    std::vector<std::pair<int, struct sigaction>> before_;  // what each signal did
    std::string does_;                                      // empty: others say it
    int ending_ = 0;                                        // 0: there is no such signal
    bool asked_ = false;
    std::atomic<int> number_ = 0;
    std::stop_source stop_;
    std::stop_source end_;
    std::thread listener_;
};

}  // namespace papilio::example
