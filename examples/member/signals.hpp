#pragma once

#include <atomic>
#include <csignal>
#include <initializer_list>
#include <stop_token>
#include <thread>
#include <vector>

namespace papilio::example {

/// Turns the first of some signals into a stop request; the second ends the program at once. After
/// `minutes`, unless that is 0, requests a stop, too. There may be one object at a time.
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
    void listen(double minutes);

    std::vector<int> stopping_;
    std::atomic<int> number_ = 0;
    std::stop_source stop_;
    std::thread listener_;
};

}  // namespace papilio::example
