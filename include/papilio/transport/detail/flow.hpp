#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/flow.hpp>

namespace papilio::inline PAPILIO_MODE::detail {

/// Acts on what `peer` says about the flow of messages: to it by `out`, from it by `inbox`.
inline void take_flow(const wire::flow& f, int peer, send_window& out, mailbox& inbox)
{
    switch (f.kind) {
    case wire::flow_kind::window: return out.raise(f.subject);
    case wire::flow_kind::grant: return out.grant(f.number);
    case wire::flow_kind::decline: return out.decline(f.number);
    default: return inbox.note(peer, f);
    }
}

}  // namespace papilio::detail
