#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/call_mailbox.hpp>
#include <papilio/transport/detail/message_flow.hpp>
#include <papilio/transport/mailbox.hpp>

#include <coroutine>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::sim {

/// What one peer's access to the network is like.
struct access {
    double up_bytes_per_second = 12.5e6;
    double down_bytes_per_second = 12.5e6;
};

class world;

/// One peer's view of a simulated network.
class transport : public papilio::detail::call_mailbox, papilio::detail::message_carrier {
public:
    transport(world& w, int rank, access a, int peers, std::size_t early_limit);

    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    /// Done when the last byte has left the uplink.
    task<> send(int peer, tag t, bytes message);
    bool post(int peer, tag t, bytes message);

    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        co_return co_await inbox_.take(peer, t, into);
    }

    void discard_call(tag t) { flow_.discard_call(t); }
    time_point last_heard(int peer) const;
    duration round_trip(int peer) const noexcept;
    task<bool> shares_host(int) const;

private:
    friend class world;

    struct kept_post {
        tag what{};
        std::vector<std::byte> content;
    };

    /// Awaiting it lasts until what has been launched last has left the uplink.
    class [[nodiscard]] departure {
    public:
        explicit departure(transport& from) noexcept : from_(from) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() { std::erase(from_.departures_, this); }

        bool await_ready() const noexcept { return false; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self)
        {
            when_ = from_.uplink_free_;
            on_ = self.promise().on;
            from_.departures_.push_back(this);
            wake_.target = self;
            on_->post_at(wake_, when_);
        }
        void await_resume() const noexcept {}

    private:
        friend class transport;

        transport& from_;
        loop* on_ = nullptr;
        time_point when_{};
        papilio::detail::resume wake_;
    };

    void launch(int peer, tag what, bytes content, tag order) override;
    void reopen(int peer);

    /// What was to have left the uplink at a time, each key, leaves it at another one.
    void depart_anew(const std::map<time_point, time_point>& when);

    world& world_;
    int rank_;
    access access_;
    time_point uplink_free_{};
    std::vector<departure*> departures_;
    time_point downlink_free_{};
    std::vector<time_point> heard_;
    bool dead_ = false;
    std::size_t early_limit_;
    std::map<int, std::vector<kept_post>> kept_;  // by peer, for the link that comes back
    papilio::detail::message_flow flow_;
};

}  // namespace papilio::sim

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/sim/world.hpp>  // whose end defines what needs the world
#endif
