#pragma once

#include <papilio/base/index.hpp>
#include <papilio/base/random.hpp>

#include <collective/agreement/crowd_member.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace papilio::test {

struct crowd_options {
    std::uint64_t seed = 0;
    std::vector<role> roles;
    std::uint32_t columns = 2;
    bool scatters = false;  ///< each part is needed by its owner alone
    bool gathers = false;   ///< each part is what its owner has
    bool uniform = false;
    duration latency = std::chrono::milliseconds(5);  ///< the longest, but for slow links
    duration limit = std::chrono::seconds(30);
    duration patience = std::chrono::milliseconds(200);  ///< for what is owed
    duration writing{};  ///< the longest that a chunk is being written
    crowd_member::watch told{};
};

/// The voters of one call over an invented network, in invented time: messages take any time, and
/// overtake each other.
class crowd {
public:
    explicit crowd(const crowd_options& o)
        : options_(o), random_(o.seed), call_(shape(o)), cut_(o.roles.size()), slow_(o.roles.size())
    {
        for (const int me : call_.who.all()) {
            weights_[me] = 1 + static_cast<double>(random_.below(8));
            const detail::view_times times({}, o.limit, 2 * o.latency);
            members_.emplace(me,
                             std::make_unique<host>(
                                 call_, me, weights_[me], times, o.patience, now_,
                                 [this, me](int to, auto what) { send(me, to, what); }, o.told));
        }
    }

    // What befalls it, at a time after the call's begin

    /// Its links end, and the others notice.
    void crash(int who, duration at)
    {
        after(at, [this, who] {
            members_.at(who)->alive = false;
            for (const auto& [other, m] : members_)
                if (other != who) notice_closed(other, who);
        });
    }

    /// It does nothing for a while; what comes is waiting for it then.
    void stop(int who, duration at, duration length)
    {
        after(at, [this, who] { members_.at(who)->stopped = true; });
        after(at + length, [this, who] { go_on(who); });
    }

    /// Nothing comes from one to another any more, and nobody is told.
    void cut(int from, int to, duration at)
    {
        after(at, [this, from, to] { cut_[index(from)].insert(to); });
    }

    /// The link between two ends, and both are told.
    void close(int a, int b, duration at)
    {
        after(at, [this, a, b] {
            cut_[index(a)].insert(b);
            cut_[index(b)].insert(a);
            notice_closed(a, b);
            notice_closed(b, a);
        });
    }

    /// What one sends another takes this much longer.
    void slow(int from, int to, duration at, duration by)
    {
        after(at, [this, from, to, by] { slow_[index(from)][to] = by; });
    }

    /// Until nothing happens any more.
    void run()
    {
        for (const auto& [me, m] : members_)
            do_to(me, [](crowd_member& member) { member.begin(); });
        while (!events_.empty()) {
            const auto next = events_.top();
            events_.pop();
            now_ = next.when;
            next.what();
        }
    }

    struct host {
        template <class... Arguments>
        explicit host(Arguments&&... arguments) : member(std::forward<Arguments>(arguments)...)
        {
        }

        crowd_member member;
        bool alive = true;
        bool stopped = false;
        time_point wakes = time_point::max();
        std::vector<std::function<void(crowd_member&)>> waiting;  // until it goes on
    };

    const std::map<int, std::unique_ptr<host>>& members() const noexcept { return members_; }
    const detail::call_shape& call() const noexcept { return call_; }
    double weight(int who) const { return weights_.at(who); }

private:
    struct happening {
        time_point when;
        std::uint64_t order;
        std::function<void()> what;

        friend bool operator<(const happening& a, const happening& b)
        {
            return std::tie(a.when, a.order) > std::tie(b.when, b.order);
        }
    };

    static std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

    static detail::call_shape shape(const crowd_options& o)
    {
        const int n = static_cast<int>(o.roles.size());
        rank_set holders;
        for (int p = 0; p < n && !o.scatters; ++p)
            if (contributes(o.roles[index(p)])) holders.insert(p);
        std::vector<rank_set> needed(o.roles.size());
        for (int p = 0; p < n; ++p)
            if (reduces(o.roles[index(p)])) needed[index(p)] = holders | rank_set{p};
        return {.who = detail::voters(o.roles, holders),
                .extent = {n, o.roles.size(), o.columns},
                .needed_by = needed,
                .uniform = o.uniform,
                .gathers = o.gathers};
    }

    void at(time_point when, std::function<void()> what)
    {
        events_.push({std::max(when, now_), order_++, std::move(what)});
    }
    void after(duration in, std::function<void()> what) { at(now_ + in, std::move(what)); }

    duration up_to(duration most)
    {
        if (most == duration{}) return most;
        return duration(static_cast<duration::rep>(
            1 + random_.below(static_cast<std::uint64_t>(most.count()))));
    }

    duration takes(int from, int to) { return up_to(options_.latency) + slow_[index(from)][to]; }

    void send(int from, int to, std::function<void(crowd_member&)> what)
    {
        if (cut_[index(from)].contains(to)) return;
        after(from == to ? up_to(options_.writing) : takes(from, to), [=, this] {
            if (!cut_[index(from)].contains(to)) do_to(to, what);
        });
    }

    void notice_closed(int who, int about)
    {
        after(takes(about, who),
              [=, this] { do_to(who, [about](crowd_member& member) { member.lose(about); }); });
    }

    void do_to(int who, const std::function<void(crowd_member&)>& what)
    {
        auto& to = *members_.at(who);
        if (!to.alive) return;
        if (to.stopped) return to.waiting.push_back(what);
        what(to.member);
        const auto due = to.member.due();
        if (due >= to.wakes) return;
        to.wakes = due;
        at(due, [=, this] {
            do_to(who, [this, who](crowd_member& member) {
                members_.at(who)->wakes = time_point::max();
                member.wake();
            });
        });
    }

    void go_on(int who)
    {
        auto& of = *members_.at(who);
        of.stopped = false;
        for (const auto& what : std::exchange(of.waiting, {})) do_to(who, what);
    }

    crowd_options options_;
    random random_;
    detail::call_shape call_;
    std::map<int, double> weights_;
    std::vector<std::set<int>> cut_;
    std::vector<std::map<int, duration>> slow_;
    time_point now_{};
    std::map<int, std::unique_ptr<host>> members_;
    std::priority_queue<happening> events_;
    std::uint64_t order_ = 0;
};

/// Whether what a member holds at its end is made of what it says; else a sentence.
inline std::string false_claim(const crowd& c, const crowd_member& m)
{
    const auto& settled = m.state().decided();
    for (std::size_t part = 0; part < settled.runs.size(); ++part)
        for (const auto& run : settled.runs[part])
            for (auto col = run.first; col < run.first + run.columns; ++col) {
                if (!c.call().needed_by[part].contains(m.rank())) continue;
                ingredients said;
                for (const int from :
                     crowd_member::contributors(c.call(), settled, run.version, part))
                    said[from] = c.weight(from);
                if (m.chunk(part, col) != said) return "holds something else than it says";
            }
    return {};
}

/// Whether a part is in the result of one that has succeeded.
inline bool has_part(const crowd_member& m, std::size_t part)
{
    return !m.state().decided().runs[part].empty();
}

/// Whether two that have succeeded differ; else nothing.
inline std::string difference(const crowd& c, const crowd_member& a, const crowd_member& b)
{
    for (std::size_t part = 0; part < c.call().extent.parts; ++part) {
        const bool has = has_part(a, part);
        if (c.call().gathers && has != has_part(b, part))
            return "has other parts than peer " + std::to_string(b.rank());
        for (std::uint32_t col = 0; has && col < c.call().extent.columns; ++col) {
            const auto& needed = c.call().needed_by[part];
            if (!needed.contains(a.rank()) || !needed.contains(b.rank())) continue;
            if (a.chunk(part, col) != b.chunk(part, col))
                return "differs from peer " + std::to_string(b.rank());
        }
    }
    return {};
}

/// Whether somebody has failed for certain whom a member's view counts in; else nothing.
inline std::string failed_member(const crowd& c, const crowd_member& m)
{
    for (const int other : m.state().decided().members) {
        const auto& end = c.members().at(other)->member.state().ended();
        if (end && end->why && end->why != errc::outcome_unknown)
            return "has succeeded where member " + std::to_string(other) + " has failed";
    }
    return {};
}

/// What must never be after a run; empty if all is well.
inline std::string violation(const crowd& c)
{
    const crowd_member* first = nullptr;
    for (const auto& [me, m] : c.members()) {
        const auto& end = m->member.state().ended();
        const auto peer = "peer " + std::to_string(me) + " ";
        if (m->alive && !end) return peer + "has not ended";
        if (!end || end->why) continue;
        if (!first) first = &m->member;
        for (const auto& wrong : {false_claim(c, m->member), difference(c, m->member, *first),
                                  failed_member(c, m->member)})
            if (!wrong.empty()) return peer + wrong;
    }
    return {};
}

}  // namespace papilio::test
