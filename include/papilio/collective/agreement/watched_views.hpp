#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/peer_io.hpp>

#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// While it exists, a call that is in view 0 hears when others speak of its later views.
class watched_views {
public:
    /// Throws `errc::bad_argument` if the transport cannot tell.
    explicit watched_views(peer_io& io) : io_(io)
    {
        if (!io.watch_views(heard_))
            throw std::system_error(errc::bad_argument,
                                    "this transport cannot salvage calls, since it does not watch "
                                    "them: leave call_options::salvage out");
    }
    watched_views(const watched_views&) = delete;
    watched_views& operator=(const watched_views&) = delete;
    ~watched_views() { io_.unwatch_views(heard_); }

    /// Ends when others have left view 0, or the call.
    task<> hear() { co_await heard_.opened(); }
    bool heard() const noexcept { return heard_.is_open(); }

private:
    peer_io& io_;
    gate heard_;
};

}  // namespace papilio::detail
