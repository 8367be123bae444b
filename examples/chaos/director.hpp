#pragma once

#include "child.hpp"
#include "findings.hpp"
#include "options.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace papilio::example::chaos {

/// Starts the processes of a run, makes faults happen as planned, and watches what comes of them.
class director {
public:
    /// `say` is called with a line for people now and then. The folder exists.
    director(const chaos_options& o, std::vector<planned_fault> plan, std::filesystem::path folder,
             std::function<void(const std::string&)> say);

    /// Returns after the run, or earlier when it is stuck or `stop` is requested.
    void run(std::stop_token stop);

    findings& found() { return found_; }

private:
    using clock = std::chrono::steady_clock;
    static constexpr double ends_within = 60;  // seconds after SIGTERM
    static constexpr double never = std::numeric_limits<double>::infinity();

    /// A member or the host, which may be away.
    struct process {
        int number = 0;
        std::unique_ptr<child> now;  // null: away
        double started = 0;
        double start_at = never;   // if it is away
        double to_end_by = never;  // since it was asked to end
        bool stopped = false;
        std::string does;  // what it said last
        double said = 0;
    };

    double now() const;
    process& at(int number) { return processes_[static_cast<std::size_t>(number)]; }
    void start(process& p);
    void start_run(std::stop_token stop);
    void end_run();
    void look(int milliseconds);
    void receive(process& p);
    void ended(process& p);
    std::string last_words(const process& p) const;

    void take(process& p, const hosting& h);
    void take(process& p, const attempt_ended& a);
    void take(process& p, const state_taken& s);
    void take(process& p, const round_settled& s);
    void take(process& p, const doing& d);
    void completed(std::uint32_t round);
    void note_back(const process& p);

    void begin(const planned_fault& f);
    void end(const planned_fault& f);
    void act();
    void sample();
    void watch();
    bool majority_lives() const;
    void judge();
    void fail(std::string sentence);
    void fail(const std::vector<std::string>& sentences);

    chaos_options options_;
    std::deque<planned_fault> plan_;
    std::filesystem::path folder_;
    std::function<void(const std::string&)> say_;
    findings found_;
    clock::time_point begun_ = clock::now();
    std::string address_;  // of the rendezvous, once it is known
    std::vector<process> processes_;
    std::vector<planned_fault> lasting_;  // faults that have begun, and not ended
    std::set<std::string> failed_groups_;
    std::uint32_t newest_ = 0;  // round that was completed
    double completed_ = 0;      // when
    double minority_ = 0;       // when a majority did not live, last
    double sampled_ = 0;
    bool stuck_ = false;
};

}  // namespace papilio::example::chaos
