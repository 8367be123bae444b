#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/addresses.hpp>
#include <papilio/swarm/admission.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The members of a run by id. An id that is free again is given last of all.
class roster {
public:
    roster(run_description run, const membership_options& o) : run_(std::move(run)), options_(o)
    {
        check_run(run_, o);
    }

    const member_map& members() const noexcept { return members_; }
    member_map& members() noexcept { return members_; }

    member& find(std::uint16_t id)
    {
        const auto found = members_.find(id);
        PAPILIO_CHECK(found != members_.end(), "only members of the run send messages");
        return found->second;
    }

    void admit_host(const wire::endpoint& at)
    {
        PAPILIO_CHECK(!members_.contains(0), "a run has one host");
        member host;
        host.name = "host";
        host.at = at;
        host.role = wire::member_role::observer;
        host.nearby = true;
        members_.emplace(std::uint16_t{0}, std::move(host));
    }

    /// The new member's id, which is none of `reserved`, or the reason to refuse it. `from` is the
    /// host that its channel comes from.
    std::variant<std::uint16_t, wire::refused> admit(wire::join request, const std::string& from,
                                                     const std::vector<std::uint16_t>& reserved)
    {
        member m;
        place(m, std::move(request.at), from);
        request.at = m.at;
        auto run = run_;
        if (run.offered && run.parameters == 0) {
            run.parameters = request.parameters;
            run.configuration = request.configuration;
            run.settings = request.settings;
        }
        auto refused = refusal(request, run, members_, options_.max_members);
        if (refused) return std::move(*refused);
        const auto id = free_id(reserved);
        if (!id)
            return wire::refused{"all ids of the run are in use", wire::refusal_kind::temporary};
        run_ = std::move(run);
        m.id = *id;
        m.process = ++joins_;
        m.skipped = min_skipped(members_);
        m.name = request.name;
        m.identity = request.identity;
        members_.emplace(*id, std::move(m));
        return *id;
    }

    void announce(std::uint16_t id, wire::endpoint at, const std::string& from)
    {
        member placed;
        placed.role = find(id).role;
        place(placed, std::move(at), from);
        if (address_taken(members_, placed.at, id))
            throw std::system_error(errc::refused, taken_by_another(placed.at));
        member& m = find(id);
        m.at = placed.at;
        m.loopback_only = placed.loopback_only;
        if (id != 0) m.role = placed.role;
    }

    /// The members that others on other hosts cannot dial, where there are such: each once.
    std::vector<std::uint16_t> newly_unreachable()
    {
        std::vector<std::uint16_t> ids;
        const bool with_remote =
            std::ranges::any_of(members_, [](const auto& e) { return !e.second.nearby; });
        for (auto& [id, m] : members_)
            if (with_remote && m.loopback_only && !std::exchange(m.told_unreachable, true))
                ids.push_back(id);
        return ids;
    }

    /// The members that hold the run's state, in the order in which member `id` should ask them.
    /// Each member starts at another donor, to spread the load, and at one that it can dial: of two
    /// members the one with the higher id dials. The host serves all members in other ways already,
    /// and comes last.
    std::vector<wire::member_endpoint> donors_for(std::uint16_t id) const
    {
        std::vector<wire::member_endpoint> donors;
        for (const auto& [other, m] : members_)
            if (other != 0 && other != id && m.up_to_date()) donors.push_back({other, m.at});
        if (!donors.empty())
            std::ranges::rotate(donors,
                                donors.begin() + static_cast<std::ptrdiff_t>(id % donors.size()));
        std::ranges::stable_partition(
            donors, [id](const wire::member_endpoint& donor) { return donor.id < id; });
        const auto limit = static_cast<std::size_t>(options_.donors);
        if (donors.size() >= limit) donors.resize(limit - 1);
        const auto host = members_.find(0);
        if (id != 0 && host != members_.end() && host->second.up_to_date())
            donors.push_back({0, host->second.at});
        return donors;
    }

    /// Whether members are behind, and nobody else who stays can give them the state.
    bool is_last_donor(const member& m) const
    {
        const auto others = [&](auto holds) {
            return std::ranges::any_of(
                members_, [&](const auto& e) { return e.first != m.id && holds(e.second); });
        };
        return m.gives_state() && others([](const member& o) { return !o.up_to_date(); }) &&
               !others([](const member& o) { return o.gives_state() && !o.leaving; });
    }

private:
    /// Where the member listens, with the host that its channel comes from where it left that out.
    static void place(member& m, wire::endpoint at, const std::string& from)
    {
        m.nearby = is_nearby(from);
        m.loopback_only = at.port != 0 && is_loopback(at.host);
        if (at.host.empty() && at.port != 0) at.host = from;
        m.role = at.port == 0 ? wire::member_role::client : wire::member_role::full;
        m.at = std::move(at);
    }

    /// Ids are given in order, and from 1 again: the longest free one is next.
    std::optional<std::uint16_t> free_id(const std::vector<std::uint16_t>& reserved)
    {
        for (int tries = 0; tries < wire::max_members; ++tries) {
            const auto id = next_id_;
            next_id_ = static_cast<std::uint16_t>(id % wire::max_members + 1);
            const bool taken =
                members_.contains(id) || std::ranges::find(reserved, id) != reserved.end();
            if (!taken) return id;
        }
        return std::nullopt;
    }

    run_description run_;
    membership_options options_;
    std::uint16_t next_id_ = 1;
    std::uint32_t joins_ = 0;  // of members other than the host
    member_map members_;
};

}  // namespace papilio::detail
