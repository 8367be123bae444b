#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/call_numbers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// A transport that consists of some peers of another one, in an order of their own. Groups that
/// exchange messages at the same time must differ in `epoch`, 1 to 4,095; epoch 0 is `net` itself.
/// An epoch must not be used again while messages of its previous group may be in flight, as after
/// a call that failed. All members must name the same peers in the same order. Borrows `net`, which
/// must outlive the subset and its tasks.
template <transport Net>
class subset {
public:
    /// Throws `errc::bad_argument` unless the members are distinct peers of `net`, this one among
    /// them.
    subset(Net& net, std::vector<int> members, std::uint32_t epoch)
        : net_(net), members_(std::move(members)), epoch_(epoch)
    {
        auto sorted = members_;
        std::ranges::sort(sorted);
        if (sorted.empty() || sorted.front() < 0 || sorted.back() >= net.size() ||
            std::ranges::adjacent_find(sorted) != sorted.end())
            throw std::system_error(errc::bad_argument,
                                    "the members of a subset must be distinct peers from 0 to " +
                                        std::to_string(net.size() - 1) + ", not " +
                                        listed(members_));
        if (epoch < 1 || epoch > max_epoch)
            throw std::system_error(
                errc::bad_argument,
                "the epoch of a subset must be 1 to 4095, not " + std::to_string(epoch));
        const auto self = std::ranges::find(members_, net.rank());
        if (self == members_.end())
            throw std::system_error(errc::bad_argument,
                                    "the members of a subset must include peer " +
                                        std::to_string(net.rank()) + ", which makes it");
        rank_ = static_cast<int>(self - members_.begin());
    }

    int rank() const noexcept { return rank_; }
    int size() const noexcept { return static_cast<int>(members_.size()); }

    task<> send(int peer, tag t, bytes message)
    {
        return net_.send(member(peer), in_epoch(t), message);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        return net_.recv(member(peer), in_epoch(t), into);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent)
    {
        return detail::recv(net_, member(peer), in_epoch(t), into, lent);
    }

    bool post(int peer, tag t, bytes message)
    {
        return detail::post(net_, member(peer), in_epoch(t), message);
    }
    call_numbers& calls() noexcept { return calls_; }
    void begin_call(tag t) { detail::begin_call(net_, in_epoch(t)); }
    void discard_call(tag t) { detail::discard_call(net_, in_epoch(t)); }
    bool watch_call(tag t, gate& heard) { return detail::watch_call(net_, in_epoch(t), heard); }
    void unwatch_call(const gate& heard) { detail::unwatch_call(net_, heard); }
    void leave_answer(tag t, std::vector<std::byte> answer)
    {
        detail::leave_answer(net_, in_epoch(t), std::move(answer));
    }
    void prioritise(tag t, int priority) { detail::prioritise(net_, in_epoch(t), priority); }
    time_point last_heard(int peer) { return detail::last_heard(net_, member(peer)); }
    std::optional<duration> heartbeat() { return detail::heartbeat(net_); }
    std::optional<std::uint64_t> arrived(int peer) { return detail::arrived(net_, member(peer)); }
    std::optional<duration> round_trip(int peer) { return detail::round_trip(net_, member(peer)); }
    task<bool> shares_host(int peer) { return detail::shares_host(net_, member(peer)); }

    /// The transport whose peers these are.
    Net& whole() const noexcept { return net_; }

    /// The rank in `net` of this subset's peer number `peer`.
    int member(int peer) const { return members_.at(static_cast<std::size_t>(peer)); }

private:
    static std::string listed(const std::vector<int>& members)
    {
        std::string list;
        for (const int m : members) list += (list.empty() ? "" : ", ") + std::to_string(m);
        return list.empty() ? "none" : list;
    }

    tag in_epoch(tag t) const
    {
        auto fields = fields_of(t);
        PAPILIO_CHECK(fields.epoch == 0, "make groups of a transport, not groups of groups");
        fields.epoch = epoch_;
        return make_tag(fields);
    }

    Net& net_;
    std::vector<int> members_;
    std::uint32_t epoch_;
    int rank_ = 0;
    call_numbers calls_;
};

}  // namespace papilio
