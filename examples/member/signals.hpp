#pragma once

#include <stop_token>
#include <thread>

namespace papilio::example {

/// Turns the first SIGINT, SIGTERM or SIGHUP into a stop request; the second ends the program at
/// once. SIGHUP stays ignored where it was, as by nohup.
/// After `minutes`, unless that is 0, requests a stop, too. There may be one object at a time.
class signals {
public:
    explicit signals(double minutes = 0);
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    std::stop_token token() const { return stop_.get_token(); }

private:
    void listen(double minutes);

    std::stop_source stop_;
    std::thread listener_;
};

}  // namespace papilio::example
