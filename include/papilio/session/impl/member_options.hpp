#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/session/elastic_member.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/session/session.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace papilio::inline PAPILIO_MODE::detail {

/// The options of a session's `elastic_member`.
inline elastic_member_options member_options_of(const std::string& rendezvous,
                                                const state_snapshot& first,
                                                const session_options& o)
{
    elastic_member_options m;
    m.client.rendezvous = parse_endpoint(rendezvous);
    if (!o.listen.empty()) m.client.mesh.listen = parse_endpoint(o.listen);
    if (!o.announce.empty()) m.client.announce = parse_endpoint(o.announce);
    m.client.mesh.run = o.run;
    m.client.mesh.probed = false;
    m.client.name = o.name;
    m.client.configuration = o.configuration;
    for (const auto& span : first.spans) {
        m.client.state_sizes.push_back(span.size());
        m.client.parameters += span.size();
        m.client.configuration = hash(m.client.configuration, span.size());
    }
    m.client.attempt =
        std::clamp<duration>(o.patience, std::chrono::milliseconds(100), std::chrono::seconds(10));
    m.client.host_called = "host of the run";
    m.rounds = o.rounds;
    m.patience = o.patience;
    m.offers_state = true;
    m.linger = o.linger;
    return m;
}

}  // namespace papilio::detail
