#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/text.hpp>
#include <papilio/swarm/membership_events.hpp>
#include <papilio/wire/swarm_messages.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio {

/// Who is in a run and who averages next. It has neither clock nor sockets: whoever embeds it tells
/// it what happens and when, and acts on the events that it returns. A member keeps its id until it
/// leaves, and no id is given twice: a run takes `wire::max_members` joins in all, and then its
/// host must start again.
///
/// The run's state is known by its number of rounds. A member is up to date when it holds the state
/// after the last of them. A group is called when every up-to-date member is ready, and every
/// observer of the last group has reported, or when `patience` has passed since the first was
/// ready; in either case with at least `min_group` of them. When more are ready than `max_group`,
/// they take turns: those go first that were passed over most often.
/// A round succeeds when more than half of the members that vote in it report one and the same
/// digest. Otherwise it is called again under the next attempt and epoch, once members say that
/// they are ready. No single member expels another: more than half of a group must name it. When
/// three attempts at a round have failed, those after them leave out the one named most.
class membership {
public:
    membership(run_description run, membership_options o);

    /// Takes in the one that runs the rendezvous, as an observer with id 0.
    std::uint16_t admit_host(const wire::endpoint& at);

    /// Takes a member in, or says in a sentence why not. Leaves out where the host is.
    std::variant<wire::joined, wire::refused> admit(const wire::join& request);

    /// The following throw `errc::bad_message` when an honest member would not say this now.
    void announce(std::uint16_t id, const wire::endpoint& at);
    void holding(std::uint16_t id, const wire::state_held& h, time_point now);
    void ready(std::uint16_t id, const wire::round_ready& r, time_point now);
    void done(std::uint16_t id, const wire::round_report& d, time_point now);

    void leave(std::uint16_t id, const std::string& reason, bool expelled, time_point now);

    /// Does what is due by the clock.
    void tick(time_point now);

    /// When `tick` has something to do next; `max()`: not before something else happens.
    time_point next_tick() const;

    /// What has happened since the last call.
    std::vector<membership_event> take_events() { return std::exchange(events_, {}); }

    wire::run_status now_for(std::uint16_t id) const;
    std::uint32_t round() const noexcept { return round_; }
    const std::map<std::uint16_t, member>& members() const noexcept { return members_; }
    const std::optional<wire::group>& under_way() const noexcept { return group_; }

private:
    member& find(std::uint16_t id);
    bool up_to_date(member& m, std::uint32_t round, const std::string& digest);
    wire::refused objection(const wire::join& request) const;
    bool address_taken(const wire::endpoint& at, std::uint16_t except) const;
    bool votes(std::uint16_t id) const;
    std::vector<std::uint16_t> candidates() const;
    std::optional<time_point> due(const std::vector<std::uint16_t>& candidates) const;
    std::optional<std::uint16_t> left_out() const;
    std::vector<std::uint16_t> choose(std::vector<std::uint16_t> candidates);
    std::uint64_t fewest_passed_over() const;
    void call(const std::vector<std::uint16_t>& ids, time_point now);
    bool complete() const;
    void settle(time_point now);
    std::string agreed_digest() const;
    std::vector<std::uint16_t> blame();
    std::vector<std::uint16_t> silent() const;
    void succeed(const std::string& digest);
    void tell_outcome(member& m, const wire::round_report& report);
    void remove(std::uint16_t id, const std::string& reason, bool expelled);
    void hurry(time_point when, time_point now);
    void advance(time_point now);

    run_description run_;
    membership_options options_;
    std::uint32_t round_ = 0;
    std::uint32_t attempt_ = 0;
    std::uint32_t epoch_ = 0;
    std::string digest_;
    std::uint16_t next_id_ = 1;
    std::map<std::uint16_t, member> members_;

    std::optional<wire::group> group_;  // of the attempt that is under way
    time_point report_deadline_{};
    std::map<std::uint16_t, wire::round_report> reports_;
    std::map<std::uint16_t, int> named_;  // in failed attempts at this round
    wire::round_outcome last_;            // the outcome of the attempt before

    std::vector<membership_event> events_;
};

inline membership::membership(run_description run, membership_options o)
    : run_(std::move(run)), options_(o), round_(run_.round), digest_(run_.digest)
{
    if (run_.name.empty() || o.min_group < 1 || o.max_group < o.min_group || o.max_members < 1 ||
        o.max_members > wire::max_members || o.round_timeout <= duration{} || o.donors < 1)
        throw std::system_error(errc::bad_argument,
                                "a run has a name, and room for at least one group");
}

inline member& membership::find(std::uint16_t id)
{
    const auto found = members_.find(id);
    PAPILIO_CHECK(found != members_.end(), "only members of the run act in it");
    return found->second;
}

inline std::uint16_t membership::admit_host(const wire::endpoint& at)
{
    PAPILIO_CHECK(!members_.contains(0), "a run has one host");
    member host;
    host.name = "host";
    host.at = at;
    host.does = wire::member_role::observer;
    members_.emplace(std::uint16_t{0}, std::move(host));
    events_.push_back(member_joined{0});
    return 0;
}

inline bool membership::address_taken(const wire::endpoint& at, std::uint16_t except) const
{
    return at.port != 0 && std::ranges::any_of(members_, [&](const auto& entry) {
               return entry.first != except && entry.second.at == at;
           });
}

/// Without a reason: there is none.
inline wire::refused membership::objection(const wire::join& request) const
{
    const auto said = [](const std::string& text) { return '"' + text.substr(0, 60) + '"'; };
    const auto for_now = [](std::string why) { return wire::refused{std::move(why), true}; };
    const auto for_good = [](std::string why) { return wire::refused{std::move(why), false}; };
    if (request.run != run_.name)
        return for_good("this is the run " + said(run_.name) + ", not " + said(request.run));
    if (!readable(request.name))
        return for_good("its name is no text: use UTF-8 without control characters");
    if (request.parameters != run_.parameters)
        return for_good("the run's model has " + std::to_string(run_.parameters) +
                        " parameters, yours " + std::to_string(request.parameters) +
                        ": start with the same model");
    if (request.configuration != run_.configuration)
        return for_good(
            "the run is configured differently: model, codec and options must be the same");
    if (next_id_ > wire::max_members)
        return for_good("the run has given away all its ids; its host must start again");
    const auto present = std::ranges::count_if(
        members_, [](const auto& m) { return m.second.does != wire::member_role::observer; });
    if (present >= options_.max_members)
        return for_now("the run is full: it has " + std::to_string(present) + " members");
    const bool same_name = std::ranges::any_of(members_, [&](const auto& entry) {
        return !request.name.empty() && entry.second.name == request.name;
    });
    if (same_name) return for_now("there is a member called " + said(request.name) + " already");
    if (address_taken(request.at, 0xffff))
        return for_now("there is a member at " + request.at.host.substr(0, 100) + " port " +
                       std::to_string(request.at.port) + " already");
    return {};
}

/// Where a newcomer begins: neither before nor behind those who are there.
inline std::uint64_t membership::fewest_passed_over() const
{
    std::optional<std::uint64_t> fewest;
    for (const auto& [id, m] : members_)
        if (m.does != wire::member_role::observer)
            fewest = std::min(fewest.value_or(m.passed_over), m.passed_over);
    return fewest.value_or(0);
}

inline std::variant<wire::joined, wire::refused> membership::admit(const wire::join& request)
{
    auto why_not = objection(request);
    if (!why_not.reason.empty()) return why_not;
    member m;
    m.id = next_id_++;
    m.passed_over = fewest_passed_over();
    m.name = request.name;
    m.at = request.at;
    if (request.at.port == 0) m.does = wire::member_role::client;
    const auto id = m.id;
    members_.emplace(id, std::move(m));
    events_.push_back(member_joined{id});
    wire::joined welcome;
    welcome.id = id;
    welcome.now = now_for(id);
    return welcome;
}

/// Newcomers are spread over the donors; the host, which has the others to watch, comes last.
inline wire::run_status membership::now_for(std::uint16_t id) const
{
    std::vector<wire::member_endpoint> holders;
    for (const auto& [other, m] : members_)
        if (other != 0 && other != id && m.holds) holders.push_back({other, m.at});
    if (!holders.empty())
        std::ranges::rotate(holders,
                            holders.begin() + static_cast<std::ptrdiff_t>(id % holders.size()));
    if (holders.size() >= static_cast<std::size_t>(options_.donors))
        holders.resize(static_cast<std::size_t>(options_.donors) - 1);
    const auto host = members_.find(0);
    if (id != 0 && host != members_.end() && host->second.holds)
        holders.push_back({0, host->second.at});
    return {round_, digest_, std::move(holders)};
}

inline void membership::announce(std::uint16_t id, const wire::endpoint& at)
{
    member& m = find(id);
    if (address_taken(at, id))
        throw std::system_error(errc::refused, "there is a member at this address already");
    m.at = at;
    if (id != 0) m.does = at.port == 0 ? wire::member_role::client : wire::member_role::full;
}

inline bool membership::up_to_date(member& m, std::uint32_t round, const std::string& digest)
{
    if (m.in_group) throw std::system_error(errc::bad_message, "a round is not over for it");
    m.reports = false;
    const bool other_bits = !digest_.empty() && !digest.empty() && digest != digest_;
    m.holds = round == round_ && !other_bits;
    if (!m.holds) m.ready = false;
    if (!m.holds) events_.push_back(member_outdated{m.id, now_for(m.id)});
    return m.holds;
}

inline void membership::holding(std::uint16_t id, const wire::state_held& h, time_point now)
{
    member& m = find(id);
    if (up_to_date(m, h.round, h.digest)) m.ready = false;
    advance(now);
}

inline void membership::ready(std::uint16_t id, const wire::round_ready& r, time_point now)
{
    member& m = find(id);
    if (up_to_date(m, r.round, r.digest)) {
        if (!m.ready) m.ready_since = now;
        m.ready = true;
        m.progress = r;
    }
    advance(now);
}

inline void membership::done(std::uint16_t id, const wire::round_report& d, time_point now)
{
    member& m = find(id);
    if (d.ok && d.digest.empty())
        throw std::system_error(errc::bad_message, "a success without a digest");
    if (!m.reports) throw std::system_error(errc::bad_message, "a report that nobody waits for");
    m.reports = false;
    if (m.in_group) {
        if (d.round != group_->round || d.attempt != group_->attempt)
            throw std::system_error(errc::bad_message, "a report of another attempt");
        reports_.emplace(id, d);
    } else {
        tell_outcome(m, d);  // an observer, later than those who vote
    }
    advance(now);
}

inline void membership::tell_outcome(member& m, const wire::round_report& report)
{
    const bool newest = report.round == last_.round && report.attempt == last_.attempt;
    wire::round_outcome outcome{report.round, report.attempt, newest && last_.ok, false, {}};
    outcome.yours = outcome.ok && report.ok && report.digest == digest_;
    if (report.round < round_) outcome.ok = true;  // by this attempt or a later one
    if (outcome.ok) m.holds = outcome.yours;
    outcome.now = now_for(m.id);
    events_.push_back(member_settled{m.id, std::move(outcome)});
}

inline void membership::leave(std::uint16_t id, const std::string& reason, bool expelled,
                              time_point now)
{
    remove(id, reason, expelled);
    advance(now);
}

inline void membership::remove(std::uint16_t id, const std::string& reason, bool expelled)
{
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    events_.push_back(member_left{id, found->second.name, reason, expelled});
    members_.erase(found);
    named_.erase(id);
}

inline bool membership::votes(std::uint16_t id) const
{
    const auto found = std::ranges::find(group_->members, id, &wire::group_member::id);
    return found != group_->members.end() && found->does != wire::member_role::observer;
}

inline std::optional<std::uint16_t> membership::left_out() const
{
    constexpr std::uint32_t enough = 3;
    if (attempt_ < enough || named_.empty()) return std::nullopt;
    const auto most = std::ranges::max_element(
        named_, [](const auto& a, const auto& b) { return a.second < b.second; });
    return most->first;
}

inline std::vector<std::uint16_t> membership::candidates() const
{
    std::vector<std::uint16_t> found;
    const auto without = left_out();
    for (const auto& [id, m] : members_)
        if (m.holds && m.ready && id != without) found.push_back(id);
    return found;
}

/// When these may be called, if they are enough; `min()` if nobody else is to be waited for.
inline std::optional<time_point> membership::due(const std::vector<std::uint16_t>& ids) const
{
    int contributing = 0;
    time_point first = time_point::max();
    for (const auto id : ids) {
        const auto& m = members_.at(id);
        if (m.does == wire::member_role::observer) continue;
        ++contributing;
        first = std::min(first, m.ready_since);
    }
    if (contributing < options_.min_group) return std::nullopt;
    const auto without = left_out();
    const bool all = std::ranges::all_of(members_, [&](const auto& entry) {
        const auto& m = entry.second;
        const bool awaited = m.holds || m.reports;  // an observer's report may be on its way
        return !awaited || m.ready || entry.first == without;
    });
    return all ? time_point::min() : first + options_.patience;
}

/// All observers among the candidates, and of the others as many as may be, in the order of ids.
inline std::vector<std::uint16_t> membership::choose(std::vector<std::uint16_t> ids)
{
    const auto observes = [this](std::uint16_t id) {
        return find(id).does == wire::member_role::observer;
    };
    std::ranges::sort(ids, [&](std::uint16_t a, std::uint16_t b) {
        if (observes(a) != observes(b)) return observes(a);
        const auto of_a = find(a).passed_over, of_b = find(b).passed_over;
        return of_a != of_b ? of_a > of_b : a < b;
    });
    const auto most = options_.max_group + std::ranges::count_if(ids, observes);
    for (; std::ssize(ids) > most; ids.pop_back()) ++find(ids.back()).passed_over;
    std::ranges::sort(ids);
    return ids;
}

inline void membership::call(const std::vector<std::uint16_t>& ids, time_point now)
{
    epoch_ = epoch_ % max_epoch + 1;
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(options_.round_timeout);
    wire::group g{round_, attempt_, epoch_, static_cast<std::uint32_t>(limit.count()), {}};
    for (const auto id : ids) {
        member& m = find(id);
        m.ready = false;
        m.in_group = m.reports = true;
        g.members.push_back({id, m.at, m.does});
    }
    for (auto& [id, m] : members_) m.hurried = false;
    report_deadline_ = now + options_.round_timeout + options_.report_grace;
    reports_.clear();
    group_ = g;
    events_.push_back(group_called{std::move(g)});
}

/// Nobody is left who votes and has not said how it went.
inline bool membership::complete() const
{
    return std::ranges::all_of(group_->members, [&](const wire::group_member& m) {
        return !members_.contains(m.id) || !votes(m.id) || reports_.contains(m.id);
    });
}

/// The digest that more than half of all who vote report; empty: there is none.
inline std::string membership::agreed_digest() const
{
    std::size_t voters = 0;
    std::map<std::string, std::size_t> said;
    for (const auto& m : group_->members) {
        if (!votes(m.id)) continue;
        ++voters;
        const auto report = reports_.find(m.id);
        if (report != reports_.end() && report->second.ok) ++said[report->second.digest];
    }
    for (const auto& [digest, count] : said)
        if (2 * count > voters) return digest;
    return {};
}

/// Remembers who was named in a failed attempt; gives those whom more than half of it named.
inline std::vector<std::uint16_t> membership::blame()
{
    std::map<std::uint16_t, std::size_t> named;
    std::size_t voters = 0;
    for (const auto& m : group_->members) {
        if (!votes(m.id)) continue;
        ++voters;
        const auto report = reports_.find(m.id);
        if (report == reports_.end() || report->second.ok || report->second.culprit < 0) continue;
        const auto culprit = static_cast<std::uint16_t>(report->second.culprit);
        if (culprit != m.id && votes(culprit)) ++named[culprit];
    }
    std::vector<std::uint16_t> guilty;
    for (const auto& [culprit, count] : named) {
        if (!members_.contains(culprit)) continue;
        ++named_[culprit];
        if (2 * count > voters) guilty.push_back(culprit);
    }
    return guilty;
}

/// Members that owe a vote's report; an observer may take longer.
inline std::vector<std::uint16_t> membership::silent() const
{
    std::vector<std::uint16_t> found;
    for (const auto& m : group_->members)
        if (members_.contains(m.id) && votes(m.id) && !reports_.contains(m.id))
            found.push_back(m.id);
    return found;
}

/// One round more is done. Whoever was not in it, or came to another result, is out of date; those
/// of them who wait for a group are told.
inline void membership::succeed(const std::string& digest)
{
    ++round_;
    attempt_ = 0;
    digest_ = digest;
    named_.clear();
    std::vector<std::uint16_t> waiting;
    for (auto& [id, m] : members_) {
        if (m.ready) waiting.push_back(id);
        const auto report = reports_.find(id);
        m.holds = report != reports_.end() && report->second.ok && report->second.digest == digest;
        m.ready = m.hurried = false;
    }
    for (const auto id : waiting) events_.push_back(member_outdated{id, now_for(id)});
}

inline void membership::settle(time_point now)
{
    const auto digest = agreed_digest();
    const auto too_late = silent();
    const auto guilty = digest.empty() ? blame() : std::vector<std::uint16_t>{};
    last_ = {group_->round, group_->attempt, !digest.empty(), false, {}};
    events_.push_back(group_settled{*group_, last_.ok, digest, reports_});
    if (last_.ok)
        succeed(digest);
    else
        ++attempt_;
    group_.reset();
    for (auto& [id, m] : members_) m.in_group = false;
    for (const auto& [id, report] : reports_)
        if (members_.contains(id)) tell_outcome(find(id), report);
    for (const auto id : too_late) remove(id, "it did not say in time how the round went", true);
    for (const auto id : guilty) remove(id, "more than half of its group found it at fault", true);
    advance(now);
}

inline void membership::hurry(time_point when, time_point now)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - now);
    for (auto& [id, m] : members_) {
        if (!m.holds || m.ready || m.reports || m.hurried) continue;
        m.hurried = true;
        events_.push_back(member_hurried{id, {round_, static_cast<std::uint32_t>(left.count())}});
    }
}

inline void membership::advance(time_point now)
{
    if (group_ && (complete() || now >= report_deadline_)) return settle(now);
    if (group_) return;
    const auto ids = candidates();
    const auto when = due(ids);
    if (!when) return;
    if (*when <= now)
        call(choose(ids), now);
    else
        hurry(*when, now);
}

inline void membership::tick(time_point now)
{
    advance(now);
}

inline time_point membership::next_tick() const
{
    if (group_) return report_deadline_;
    return due(candidates()).value_or(time_point::max());
}

}  // namespace papilio
