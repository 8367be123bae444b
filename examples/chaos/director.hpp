#pragma once

#include "attempts.hpp"
#include "child.hpp"
#include "findings.hpp"
#include "harm.hpp"
#include "options.hpp"
#include "patient_clock.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
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
    using clock = patient_clock::clock;
    static constexpr double ends_within = 60;  // seconds after SIGTERM
    static constexpr double never = std::numeric_limits<double>::infinity();

    /// Seconds for which a fault is felt when it is over: packets are sent again, links made anew.
    static constexpr double felt_for = 4;

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

        double felt_until = 0;  // what has befallen it is over, and felt
        bool missed = true;     // it has not had part in a round since
        double behind = 0;      // seconds without a part in a round, while nothing was in its way
        bool told_behind = false;
        double whole_at = -never;  // when all members together had completed an attempt
        double waited = 0;         // for a processor, in seconds of its life
    };

    double now() const { return clock_.now(clock::now()); }
    process& at(int number) { return processes_[static_cast<std::size_t>(number)]; }
    void start(process& p);
    void start_run(std::stop_token stop);
    void end_run();
    void look(int milliseconds);
    void everything_stood_still(double since);
    void receive(process& p);
    void ended(process& p);
    std::string last_words(const process& p) const;

    void take(process& p, const hosting& h);
    void take(process& p, const attempt_ended& a);
    void take(process& p, const state_taken& s);
    void take(process& p, const round_settled& s);
    void take(process& p, const doing& d);
    void completed(std::uint32_t round);
    void note_part(process& p);
    void note_back(const process& p);

    void begin(const planned_fault& f);
    void end(const planned_fault& f);
    void act();
    void sample();
    void sample_processor(process& p, double since);
    bool in_force(int process) const;
    bool struck(const process& p) const;
    bool may_go_on() const;
    void watch();
    void watch_attempts();
    void tell_stuck();
    bool over() const;
    void judge();
    void fail(std::string sentence);
    void fail(const std::vector<std::string>& sentences);

    chaos_options options_;
    std::deque<planned_fault> plan_;
    std::filesystem::path folder_;
    std::function<void(const std::string&)> say_;
    findings found_;
    patient_clock clock_{clock::now()};
    std::string address_;  // of the rendezvous, once it is known
    std::vector<process> processes_;
    std::vector<planned_fault> lasting_;  // faults that have begun, and not ended
    harm harm_;
    attempts attempts_;
    std::uint32_t newest_ = 0;  // round that was completed
    double completed_ = 0;      // when
    double unmet_ = 0;          // seconds without a round, while a majority could make one
    double watched_ = 0;
    double sampled_ = 0;
    bool stuck_ = false;
};

}  // namespace papilio::example::chaos
