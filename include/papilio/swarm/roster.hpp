#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/admission.hpp>
#include <papilio/swarm/group_policy.hpp>
#include <papilio/swarm/member.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The members of a run by id. No id is given twice.
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
        members_.emplace(std::uint16_t{0}, std::move(host));
    }

    /// The new member's id, or the reason to refuse it.
    std::variant<std::uint16_t, wire::refused> admit(const wire::join& request)
    {
        auto refused = refusal(request, run_, members_, options_.max_members, next_id_);
        if (refused) return std::move(*refused);
        member m;
        m.id = next_id_++;
        m.skipped = min_skipped(members_);
        m.name = request.name;
        m.at = request.at;
        if (request.at.port == 0) m.role = wire::member_role::client;
        const auto id = m.id;
        members_.emplace(id, std::move(m));
        return id;
    }

    void announce(std::uint16_t id, const wire::endpoint& at)
    {
        member& m = find(id);
        if (address_taken(members_, at, id))
            throw std::system_error(errc::refused, taken_by_another(at));
        m.at = at;
        if (id != 0) m.role = at.port == 0 ? wire::member_role::client : wire::member_role::full;
    }

    /// The members that hold the run's state, in the order in which member `id` should ask them.
    /// Each member starts at another donor, to spread the load. The host serves all members in
    /// other ways already, and comes last.
    std::vector<wire::member_endpoint> donors_for(std::uint16_t id) const
    {
        std::vector<wire::member_endpoint> donors;
        for (const auto& [other, m] : members_)
            if (other != 0 && other != id && m.up_to_date()) donors.push_back({other, m.at});
        if (!donors.empty())
            std::ranges::rotate(donors,
                                donors.begin() + static_cast<std::ptrdiff_t>(id % donors.size()));
        const auto limit = static_cast<std::size_t>(options_.donors);
        if (donors.size() >= limit) donors.resize(limit - 1);
        const auto host = members_.find(0);
        if (id != 0 && host != members_.end() && host->second.up_to_date())
            donors.push_back({0, host->second.at});
        return donors;
    }

private:
    run_description run_;
    membership_options options_;
    std::uint16_t next_id_ = 1;
    member_map members_;
};

}  // namespace papilio::detail
