#pragma once

#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a mailbox remembers of calls that are over: which have been discarded here, what is to be
/// answered to peers that still are in one, and which calls each peer is through with. Pure.
class past_calls {
public:
    static constexpr std::size_t remembered = 1024;        // of those discarded or with answers
    static constexpr std::size_t remembered_by_peer = 64;  // of those that a peer is through with

    /// All messages of a call are dropped from now on. False if that was so.
    bool discard(tag t);
    bool discarded(tag t) const { return std::ranges::count(discarded_, call_of(t)) > 0; }

    /// A call has ended here, and `answer` says how: what concerns its later views is dropped.
    void leave_answer(tag t, std::vector<std::byte> answer);

    /// Whether a message that comes, or is announced, is dropped.
    bool drops(tag t) const
    {
        return discarded(t) || (concerns_later_views(t) && answers_.contains(call_of(t)));
    }

    /// What `peer` is to be told that has sent a message under `t`; null: nothing, or it was told.
    const std::vector<std::byte>* answer_for(int peer, tag t) const;
    void told(int peer, tag t) { answers_.at(call_of(t)).told.push_back(peer); }

    /// A new link to `peer` begins: what it was told may not have come, and it is through with no
    /// call.
    void reopen(int peer);

    /// A peer is through with a call. What is kept of another one, if one is returned, is not to be
    /// kept any longer.
    std::optional<tag> end(int peer, tag t);

    /// An attempt at a call begins. Forgets those eight or more before or after it: tags have four
    /// bits for them, and messages of later attempts come early. What was left for the same one was
    /// for an earlier group.
    void begin(tag t);

private:
    /// What is said about a call that has ended, and to whom it was.
    struct left_answer {
        std::vector<std::byte> answer;
        std::vector<int> told;
    };

    std::deque<std::uint64_t> discarded_;
    std::map<std::uint64_t, left_answer> answers_;
    std::deque<std::uint64_t> answered_;       // the keys of `answers_`, the oldest first
    std::map<int, std::deque<tag>> ended_by_;  // by peer: those of which a no may be left
};

inline bool past_calls::discard(tag t)
{
    if (discarded(t)) return false;
    if (discarded_.size() == remembered) discarded_.pop_front();
    discarded_.push_back(call_of(t));
    for (auto& [peer, ended] : ended_by_)
        std::erase_if(ended, [t](tag other) { return call_of(other) == call_of(t); });
    return true;
}

/// Most calls are the latest so far, and have their places at the end.
inline void past_calls::leave_answer(tag t, std::vector<std::byte> answer)
{
    const auto before = answers_.size();
    answers_.insert_or_assign(answers_.end(), call_of(t), left_answer{std::move(answer), {}});
    if (answers_.size() == before) return;
    answered_.push_back(call_of(t));
    if (answered_.size() <= remembered) return;
    answers_.erase(answered_.front());
    answered_.pop_front();
}

inline const std::vector<std::byte>* past_calls::answer_for(int peer, tag t) const
{
    if (fields_of(t).kind != message_kind::view) return nullptr;
    const auto found = answers_.find(call_of(t));
    const bool due = found != answers_.end() && std::ranges::count(found->second.told, peer) == 0;
    return due ? &found->second.answer : nullptr;
}

inline void past_calls::reopen(int peer)
{
    ended_by_.erase(peer);
    for (auto& [call, left] : answers_) std::erase(left.told, peer);
}

/// A call that is discarded here keeps nothing.
inline std::optional<tag> past_calls::end(int peer, tag t)
{
    auto& ended = ended_by_[peer];
    if (discarded(t) || std::ranges::count(ended, call_of(t), call_of) > 0) return std::nullopt;
    std::optional<tag> oldest;
    if (ended.size() == remembered_by_peer) {
        oldest = ended.front();
        ended.pop_front();
    }
    ended.push_back(t);
    return oldest;
}

inline void past_calls::begin(tag t)
{
    const auto call = call_of(t);
    const auto is_past = [call](std::uint64_t other) {
        return other >> 4 == call >> 4 && ((call - other) & max_tag_attempt) >= 8;
    };
    std::erase_if(discarded_, is_past);
    for (auto& [peer, ended] : ended_by_)
        std::erase_if(ended, [&](tag other) { return is_past(call_of(other)); });
    const auto first = call & ~std::uint64_t{max_tag_attempt};
    if (answers_.empty() || answers_.rbegin()->first < first) return;
    const auto last = answers_.upper_bound(call | max_tag_attempt);
    for (auto at = answers_.lower_bound(first); at != last;) {
        const bool forgotten = is_past(at->first) || at->first == call;
        if (forgotten) std::erase(answered_, at->first);
        at = forgotten ? answers_.erase(at) : std::next(at);
    }
}

}  // namespace papilio::detail
