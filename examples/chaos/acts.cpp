// How the director makes faults happen.

#include "director.hpp"
#include "resources.hpp"
#include "sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

namespace papilio::example::chaos {

/// Begins and ends the faults whose time has come, and starts processes anew.
void director::act()
{
    while (!plan_.empty() && plan_.front().at <= now()) {
        begin(plan_.front());
        plan_.pop_front();
    }
    const auto over = std::ranges::partition(
        lasting_, [&](const planned_fault& f) { return f.at + f.lasts > now(); });
    const std::vector<planned_fault> to_end(over.begin(), over.end());
    lasting_.erase(over.begin(), over.end());
    for (const auto& f : to_end) end(f);
    for (const auto& f : lasting_)  // connections may be new
        if (f.kind == fault::one_way && at(f.process).now && at(f.other).now)
            drop_arrivals(at(f.process).now->pid(), at(f.other).now->pid());
    for (auto& p : processes_) {
        if (!p.now && p.start_at <= now()) start(p);
        if (p.now && p.to_end_by <= now()) {
            fail(fmt::format("{} has not ended {:.0f} s after SIGTERM: {}", process_name(p.number),
                             ends_within, p.does));
            p.now->end(SIGKILL);
        }
    }
}

/// Nothing happens to a process that is away, by a fault of its own.
void director::begin(const planned_fault& f)
{
    process& p = at(f.process);
    process& other = at(f.other);
    if (!p.now || (takes_two(f.kind) && !other.now)) return;
    say_(fmt::format("{:7.1f} s  {}", now(), to_string(f)));
    found_.faults.push_back({f, 0, 0, {}, {}});
    found_.faults.back().planned.at = now();
    lasting_.push_back(found_.faults.back().planned);
    for (auto& each : processes_)
        if (befalls(f, each.number)) each.missed = true;
    switch (f.kind) {
    case fault::kill:
    case fault::host_kill:
        p.to_end_by = now() + ends_within;
        p.start_at = now() + f.lasts;
        p.now->end(SIGKILL);
        break;
    case fault::stop:
        p.stopped = true;
        p.now->signal(SIGSTOP);
        break;
    case fault::restart:
        p.to_end_by = now() + ends_within;
        p.start_at = now();
        p.now->end(SIGTERM);
        break;
    case fault::link_down: end_connections(p.now->pid(), other.now->pid()); break;
    case fault::one_way: drop_arrivals(p.now->pid(), other.now->pid()); break;
    case fault::full_disk: fill_disk(p.now->pid()); break;
    case fault::descriptors:
        forbid_descriptors(p.now->pid());
        end_connections(p.now->pid(), other.now->pid());
        break;
    }
}

void director::end(const planned_fault& f)
{
    for (auto& each : processes_)
        if (befalls(f, each.number)) each.felt_until = now() + felt_for;
    process& p = at(f.process);
    if (!p.now) return;
    if (f.kind == fault::stop) {
        p.stopped = false;
        p.now->signal(SIGCONT);
    }
    if (f.kind == fault::one_way) let_arrive(p.now->pid());
    if (f.kind == fault::full_disk) free_disk(p.now->pid());
    if (f.kind == fault::descriptors) allow_descriptors(p.now->pid());
}

}  // namespace papilio::example::chaos
