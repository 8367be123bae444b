#include "director.hpp"

#include <trainer/problem.hpp>

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <utility>

namespace papilio::example::chaos {

namespace {

constexpr double begins_within = 60;  // seconds, for the host

}  // namespace

director::director(const chaos_options& o, std::vector<planned_fault> plan,
                   std::filesystem::path folder, std::function<void(const std::string&)> say)
    : options_(o),
      plan_(plan.begin(), plan.end()),
      folder_(std::move(folder)),
      say_(std::move(say)),
      found_(o.seed),
      address_("127.0.0.1:0"),
      processes_(static_cast<std::size_t>(o.peers) + 1),
      harm_(processes_.size())
{
    for (int i = 0; i <= o.peers; ++i) at(i).number = i;
}

void director::run(std::stop_token stop)
{
    start_run(stop);
    clock_.restart(clock::now());
    for (auto& p : processes_) p.started = p.felt_until = 0;
    while (!stop.stop_requested() && !over()) {
        look(50);
        act();
        sample();
        watch();
    }
    found_.seconds = now();
    judge();
    end_run();
}

void director::start(process& p)
{
    const process_options o{p.number, address_,     options_.seed, options_.elements,
                            folder_,  options_.log, options_.host};
    p.now = std::make_unique<child>(o, folder_ / fmt::format("{}.log", process_name(p.number)));
    p.started = now();
    p.start_at = p.to_end_by = never;
    p.stopped = false;
    p.waited = 0;
    p.does = "starts";
    p.said = p.started;
}

/// It ends with a round of all who can have part in one, so that whatever the last faults have left
/// shows.
bool director::over() const
{
    if (stuck_) return true;
    const auto met = [](const process& p) { return !p.missed || p.told_behind; };
    return now() >= options_.minutes * 60 && completed_ >= options_.minutes * 60 &&
           std::ranges::all_of(processes_, met);
}

/// Starts the host, and the members once it can be reached.
void director::start_run(std::stop_token stop)
{
    const std::string unknown = address_;
    start(at(0));
    while (address_ == unknown) {
        if (stop.stop_requested()) return;
        if (now() > begins_within || !at(0).now)
            throw problem(errc::timed_out, "the host of the run does not begin: " + at(0).does);
        look(50);
    }
    for (int i = 1; i <= options_.peers; ++i) start(at(i));
}

/// Asks all processes to end, and waits for them.
void director::end_run()
{
    for (auto& p : processes_)
        if (p.now) {
            p.now->signal(SIGCONT);
            p.now->end(SIGTERM);
            p.to_end_by = now() + ends_within;
        }
    const auto running = [](const process& p) { return p.now != nullptr; };
    while (std::ranges::any_of(processes_, running)) {
        look(50);
        for (auto& p : processes_)
            if (p.now && now() > p.to_end_by) {
                fail(fmt::format("{} has not ended {:.0f} s after SIGTERM: {}",
                                 process_name(p.number), ends_within, p.does));
                p.now.reset();
            }
    }
}

/// Waits for reports, and takes those that are there.
void director::look(int milliseconds)
{
    std::vector<pollfd> ready;
    std::vector<process*> whose;
    for (auto& p : processes_)
        if (p.now) {
            ready.push_back({p.now->descriptor(), POLLIN, 0});
            whose.push_back(&p);
        }
    ::poll(ready.data(), ready.size(), milliseconds);
    const double before = now();
    if (clock_.look(clock::now())) everything_stood_still(before);
    for (std::size_t i = 0; i < ready.size(); ++i)
        if (ready[i].revents != 0) receive(*whose[i]);
}

/// Since then, as far as this process can tell: nobody is to blame for what came late.
void director::everything_stood_still(double since)
{
    for (auto& p : processes_) {
        harm_.add(p.number, since - 1, now());
        p.felt_until = std::max(p.felt_until, now() + felt_for);
    }
}

void director::receive(process& p)
{
    const bool lives = p.now->read();
    while (const auto r = p.now->next())
        std::visit([&](const auto& report) { take(p, report); }, *r);
    if (!lives) ended(p);
}

/// What a process wrote last.
std::string director::last_words(const process& p) const
{
    std::ifstream from(folder_ / fmt::format("{}.log", process_name(p.number)));
    std::string last;
    for (std::string line; std::getline(from, line);)
        if (!line.empty()) last = line;
    return last;
}

void director::ended(process& p)
{
    const auto gone = std::exchange(p.now, nullptr);
    const int code = gone->wait();
    p.to_end_by = never;
    if (p.start_at == never) p.start_at = now();
    if (gone->explains(code)) return;
    fail(fmt::format("{} ended {} {}: {}", process_name(p.number),
                     gone->asked_to_end() ? "as it was asked to, but with" : "by itself, with",
                     code, last_words(p)));
    p.start_at = now() + 1;
}

void director::take(process&, const hosting& h)
{
    address_ = h.address;
}

void director::take(process& p, const attempt_ended& a)
{
    fail(found_.checked.add(p.number, a));
    attempts_.add(p.number, a, now(), found_.faults.size());
    const bool all = std::cmp_equal(a.members.size(), options_.peers);
    if (a.ok && all && a.without.empty()) p.whole_at = now();
    if (!a.ok) take(p, doing{fmt::format("round {} failed: {}", a.round + 1, a.why)});
}

void director::take(process& p, const state_taken& s)
{
    fail(found_.checked.add(p.number, s.round, s.digest));
    take(p, doing{fmt::format("{} round {}", s.fetched ? "has fetched" : "has done", s.round)});
    if (s.fetched) return;
    completed(s.round);
    note_part(p);
}

void director::take(process& p, const round_settled& s)
{
    if (!s.digest.empty()) fail(found_.checked.add(p.number, s.round, s.digest));
    take(p, doing{fmt::format("has settled round {}", s.round)});
    note_part(p);
}

void director::take(process& p, const doing& d)
{
    p.does = d.text;
    p.said = now();
}

void director::completed(std::uint32_t round)
{
    if (round <= newest_) return;
    newest_ = round;
    completed_ = now();
    unmet_ = 0;
    ++found_.rounds;
    for (auto& m : found_.faults)
        if (!m.round_after) m.round_after = completed_ - m.planned.at;
}

void director::note_part(process& p)
{
    p.behind = 0;
    if (!in_force(p.number)) p.missed = false;
    note_back(p);
}

/// Its process has part in the run again, after these faults.
void director::note_back(const process& p)
{
    for (auto& m : found_.faults) {
        const auto& f = m.planned;
        if (m.back || f.process != p.number || now() < f.at + f.lasts) continue;
        if (ends_process(f.kind) && p.started < f.at) continue;
        m.back = now() - (f.at + f.lasts);
    }
}

void director::fail(std::string sentence)
{
    say_(fmt::format("{:7.1f} s  FAILED: {}", now(), sentence));
    found_.failures.push_back(std::move(sentence));
}

void director::fail(const std::vector<std::string>& sentences)
{
    for (const auto& s : sentences) fail(s);
}

}  // namespace papilio::example::chaos
