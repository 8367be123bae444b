#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/ledger.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/measure/link_meter.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Sends and receives the messages of one call: counts their bytes, measures the link, and knows
/// what each peer still owes.
class peer_io {
public:
    peer_io(any_transport net, const wire::descriptor& call, const std::vector<role>& roles,
            const butterfly& plan, call_status& status)
        : net_(std::move(net)),
          call_(call.call),
          attempt_(call.attempt),
          roles_(roles),
          plan_(plan),
          status_(status),
          ledger_(static_cast<int>(roles.size()), status.begin, status.limit),
          link_(net_, status.begin)
    {
    }
    peer_io(const peer_io&) = delete;
    peer_io& operator=(const peer_io&) = delete;

    int me() const { return net_.rank(); }
    int size() const noexcept { return static_cast<int>(roles_.size()); }
    role mine() const { return of(me()); }
    role of(int peer) const { return roles_[index(peer)]; }

    /// Whether this peer exchanges messages with `peer`.
    bool meets(int peer) const { return plan_.meeting(me(), peer) >= 0; }

    tag tag_for(message_kind kind, std::size_t i, std::uint8_t view = 0) const noexcept
    {
        return make_tag({.call = call_,
                         .kind = kind,
                         .index = static_cast<std::uint32_t>(i),
                         .attempt = attempt_,
                         .view = view});
    }

    /// `peer` owes a message of a kind: it could have sent it by now, as far as this peer knows.
    void expect(int peer, message_kind kind) { ledger_.expect(peer, kind); }

    /// Nothing that `peer` contributed earlier keeps it from contributing on.
    void answered(int peer) { ledger_.answered(peer); }

    /// A contribution of `peer` waits for no other one any more.
    void reduced(int peer) { ledger_.reduced(peer); }

    task<> send(int peer, tag t, bytes message)
    {
        status_.result.peers[index(peer)].sent += message.size();
        return link_.send(peer, t, message);
    }

    /// Sends in the background, if the transport can.
    bool post(int peer, tag t, bytes message)
    {
        if (!net_.post(peer, t, message)) return false;
        status_.result.peers[index(peer)].sent += message.size();
        return true;
    }

    /// Opens `begun` when a peer speaks of the call's views, or of its end.
    /// False if the transport cannot tell.
    bool watch_views(gate& begun) { return net_.watch_call(tag_for(message_kind::view, 0), begun); }
    void unwatch_views(const gate& begun) { net_.unwatch_call(begun); }

    /// What peers are told that speak of views of this call after it has ended here.
    void leave_answer(std::vector<std::byte> answer)
    {
        net_.leave_answer(tag_for(message_kind::view, 0), std::move(answer));
    }

    /// Receives what a peer says of views.
    task<std::size_t> hear(int peer, tag t, mutable_bytes into)
    {
        const auto size = co_await net_.recv(peer, t, into);
        status_.result.peers[index(peer)].received += size;
        co_return size;
    }

    /// A view has begun: what was owed before is void, and some owe their votes.
    void begin_view(const rank_set& voters)
    {
        ledger_.reset();
        for (const int peer : voters)
            if (peer != me()) ledger_.expect(peer, message_kind::vote);
    }

    /// A peer has voted in a later view.
    void voted(int peer, time_point now) { ledger_.came(peer, message_kind::vote, now); }

    class receive;
    class receive_each;

    /// Awaiting it gives the size of the message. Throws `errc::mismatch` for one that is larger
    /// than `into`.
    receive recv(int peer, tag t, mutable_bytes into);

    /// The same; a message that its sender lends is not copied, but then in `lent`.
    receive recv(int peer, tag t, mutable_bytes into, lent_ptr& lent);

    /// Every fault in `work`, which deals with `peer` alone, is that peer's, except a message of
    /// this peer's that exceeds its own transport's limit.
    task<> blaming(int peer, phase where, task<> work)
    {
        try {
            co_await work;
        } catch (const call_error&) {
            throw;
        } catch (const std::system_error& failure) {
            throw blamed(peer, where, failure);
        }
    }

    /// A message to any partner and its answer take next to no time, as within a machine or a rack.
    bool all_have_low_latency()
    {
        constexpr duration low = std::chrono::microseconds(100);
        const auto longest = longest_round_trip(low);
        return longest && *longest < low;
    }

    /// To the partners; nothing if it is not known of one of them. Looks no further than one of
    /// `enough`.
    std::optional<duration> longest_round_trip(duration enough = duration::max())
    {
        duration longest{};
        for (int peer = 0; peer < size() && longest < enough; ++peer) {
            if (peer == me() || !meets(peer)) continue;
            const auto taken = net_.round_trip(peer);
            if (!taken) return std::nullopt;
            longest = std::max(longest, *taken);
        }
        return longest;
    }

    /// The partner met in `stage` that owes the most messages of a kind, and has sent none of this
    /// call after `since`; -1 if there is none. Takes every byte that the transport has heard for a
    /// sign of life.
    int culprit(message_kind kind, int stage, time_point since)
    {
        for (int peer = 0; peer < size(); ++peer)
            if (meets(peer)) ledger_.heard(peer, net_.last_heard(peer));
        return ledger_.behind(kind, [&](int peer) {
            return plan_.meeting(me(), peer) == stage && ledger_.last_message(peer) <= since;
        });
    }

    /// For those who watch over what is owed.
    ledger& debts() noexcept { return ledger_; }
    const butterfly& plan() const noexcept { return plan_; }
    const call_status& status() const noexcept { return status_; }
    time_point last_heard(int peer) { return net_.last_heard(peer); }
    std::optional<duration> heartbeat() { return net_.heartbeat(); }

    /// This peer is about to say yes, which it cannot take back.
    void commit()
    {
        if (auto* const numbers = net_.calls()) numbers->commit(call_);
    }

    /// Messages of this call that arrive from now on are discarded.
    void discard_call() { net_.discard_call(tag_for(message_kind::vote, 0)); }

    /// Notes what the link has carried.
    void report_link()
    {
        link_.tell(status_.result);
        status_.result.round_trip = longest_round_trip();
    }

private:
    call_error blamed(int peer, phase where, const std::system_error& failure) const
    {
        const bool ours = failure.code() == errc::too_large;
        return {failure.code(), ours ? me() : peer, me(), where, sentence(failure)};
    }

    /// The size of a message that has been received.
    static std::size_t size_of(task<std::size_t>& received)
    {
        try {
            return received.result();
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::too_large) throw;
            throw std::system_error(errc::mismatch,
                                    "its message is larger than this call allows: more elements, "
                                    "or another type or codec");
        }
    }

    void received(int peer, tag t, std::size_t size, time_point now)
    {
        ledger_.came(peer, fields_of(t).kind, now);
        status_.result.peers[index(peer)].received += size;
        link_.received(size, now);
    }

    any_transport net_;
    std::uint32_t call_;
    std::uint32_t attempt_;
    const std::vector<role>& roles_;
    const butterfly& plan_;
    call_status& status_;
    ledger ledger_;
    link_meter link_;
};

}  // namespace papilio::detail

#include <papilio/collective/agreement/receive.hpp>
