#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/engine/chunk_messages.hpp>
#include <papilio/collective/engine/length_prefix.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Which phases of an all-reduce take place.
enum class phases : std::uint8_t {
    both,            ///< contributions go to the owners, and results come from them
    reduce_scatter,  ///< contributions only
    all_gather,      ///< results only, each owner's own
};

/// State of one chunk index in one stage: contributions still to be reduced, then the encoded
/// results owed to this stage's partners. A chunk is first awaited, then reduced, then ready.
struct chunk_state {
    std::vector<std::vector<bytes>> contributions;  // as they came, by digit and part
    std::size_t awaited = 0;                        // contributions that have not come yet
    gate reduced;

    std::vector<std::vector<std::byte>> results;  // by the next stage's digit, as they came
    std::size_t missing_results = 0;              // of them, that have not come yet
    gate ready;

    std::vector<std::byte> message;  // the results, as every partner is sent them
    std::size_t unserved = 0;        // partners that have still to be sent it
};

/// The parts that a peer owns after a stage, and the state of their chunks.
struct stage_ownership {
    stage_ownership(const call_plan& plan, const contribution_weights& weights, int me, int k)
        : parts(plan.parts_of(me, k)), own(weights.contributes_block(me, k))
    {
        const auto& s = plan.stages;
        std::size_t receivers = 0;
        for (int d = 0; d < s.radix(k); ++d) {
            const int peer = s.partner(me, k, d);
            if (peer != me && plan.receives(peer)) ++receivers;
            if (peer != me && weights.contributes_block(peer, k)) ++others;
        }
        undescribed = others;
        if (undescribed == 0) described.open();
        chunks.resize(parts.empty() ? 0 : plan.columns);
        for (auto& c : chunks) {
            // This peer's own contribution comes from the stage before, when that has reduced it.
            c.awaited = others + (own && k > 0 ? 1 : 0);
            c.results.resize(k + 1 < s.stages() ? static_cast<std::size_t>(s.radix(k + 1)) : 1);
            c.missing_results = k + 1 < s.stages() ? owners_in_next(plan, me, k) : 1;
            c.unserved = receivers;
        }
    }

    std::vector<int> parts;  // in the order of messages; those without elements are left out
    std::deque<chunk_state> chunks;
    std::size_t others = 0;       // contributions that come from others
    bool own = false;             // this peer's own contribution has something in it
    std::size_t undescribed = 0;  // first messages that have not come yet
    gate described;               // all first messages have come: the weights are known

private:
    /// How many digits of the next stage own any of these parts.
    static std::size_t owners_in_next(const call_plan& plan, int me, int k)
    {
        std::size_t owners = 0;
        for (int d = 0; d < plan.stages.radix(k + 1); ++d)
            if (!plan.parts_of(plan.stages.partner(me, k + 1, d), k + 1).empty()) ++owners;
        return owners;
    }
};

/// How far a call is, stage by stage and chunk by chunk. A `reducer` makes results and hands them
/// out, a `contribution_sender` brings in those of other owners, which this peer may have to pass
/// on.
class stage_progress {
public:
    /// `held` is told which chunks of the result are complete; null: nobody needs to know.
    stage_progress(const call_plan& plan, contribution_weights& weights, phases what,
                   const call_data& data, int me, chunk_versions* held = nullptr)
        : plan_(plan),
          weights_(weights),
          what_(what),
          messages_(plan, data, me),
          me_(me),
          held_(held)
    {
        for (int k = 0; k < stages(); ++k) owned_.emplace_back(plan, weights, me, k);
    }
    stage_progress(const stage_progress&) = delete;
    stage_progress& operator=(const stage_progress&) = delete;

    const call_plan& plan() const noexcept { return plan_; }
    const chunk_messages& messages() const noexcept { return messages_; }

    int stages() const { return plan_.stages.stages(); }
    bool last(int k) const { return k + 1 == stages(); }
    int digit_of(int peer, int k) const { return plan_.stages.digit(peer, k); }
    bool reduces() const noexcept { return what_ != phases::all_gather; }
    bool gathers() const noexcept { return what_ != phases::reduce_scatter; }

    stage_ownership& at(int k) { return owned_[static_cast<std::size_t>(k)]; }
    chunk_state& at(int k, std::size_t c) { return at(k).chunks[c]; }

    /// The partners of stage k, from the neighbour on around the ring: no peer is everybody's
    /// first.
    std::vector<int> partners(int k) const
    {
        std::vector<int> peers;
        const int radix = plan_.stages.radix(k), mine = digit_of(me_, k);
        for (int step = 1; step < radix; ++step)
            peers.push_back(plan_.stages.partner(me_, k, (mine + step) % radix));
        return peers;
    }

    /// Without contributions, the first result carries the descriptor. Behind one, weights may: of
    /// those who contribute, to whoever could not tell otherwise.
    bool described_by_result(std::size_t c) const noexcept
    {
        return c == 0 && (!reduces() || plan_.weights_in_result() > 0);
    }

    /// Takes what precedes a first result, and returns the result itself.
    bytes without_description(bytes result)
    {
        if (!reduces()) {
            weights_.check(result);
            return result.subspan(wire::descriptor::encoded_size);
        }
        const auto all = wire::parse_weights(result, plan_.weights_in_result());
        weights_.hear_of(0, all);
        return result.subspan(all.size() * sizeof(double));
    }

    /// No later chunk waits for the answer to this one.
    bool needs_no_credit(std::size_t c) const noexcept { return c + plan_.slots >= plan_.columns; }

    /// A chunk that is reduced counts as held from then on, whatever becomes of its contributors.
    bool keeps_chunks() const noexcept { return held_ != nullptr; }

    /// Results are summed from now on, for the votes, by who has all of them. To read elements that
    /// travel as they lie once more takes a twentieth of a call over loopback, and nothing that
    /// shows beside a slower link.
    void sum_results(bool low_latency) noexcept
    {
        const bool costs = low_latency && messages_.verbatim();
        sums_ = gathers() && plan_.receives(me_) && !costs;
    }

    /// The digest of a message about chunk c of some parts; 0 if results are not summed. From any
    /// thread.
    std::uint64_t digest(int k, std::size_t c, std::span<const int> parts, bytes message) const
    {
        return sums_ ? messages_.digest(k, c, parts, message) : 0;
    }

    /// Chunk c of some parts is in the output, as it will stay.
    void hold(std::span<const int> parts, std::size_t c)
    {
        if (!held_) return;
        for (const int part : parts) held_->set(index(part), static_cast<std::uint32_t>(c), 0);
    }

    /// The results of chunk c that `digit` of stage k + 1 owns, or this peer in the last stage, are
    /// in the output, and travel on as `encoded`. With the last of them the partners of stage k can
    /// have all, and the stage before has the results of one more digit.
    void finish(int k, std::size_t c, int digit, std::vector<std::byte> encoded)
    {
        const bool verbatim = messages_.verbatim();
        auto& done = at(k, c);
        if (!verbatim) done.results[static_cast<std::size_t>(digit)] = std::move(encoded);
        if (--done.missing_results > 0) return;
        done.message = joined(std::exchange(done.results, {}));
        std::vector<std::byte> passed_on;
        if (!verbatim && k > 0) passed_on = for_stage_before(k, done.message);
        if (!verbatim && described_by_result(c)) describe(k, done.message);
        done.ready.open();
        if (k > 0) finish(k - 1, c, digit_of(me_, k), std::move(passed_on));
    }

    /// A message of stage k, as the stage before passes it on.
    std::vector<std::byte> for_stage_before(int k, bytes message) const
    {
        return last(k) ? length_prefixed(message)
                       : std::vector<std::byte>(message.begin(), message.end());
    }

    /// The results of chunk c for the partners of stage k, once it is ready and until the last of
    /// them is `served`. Elements that travel verbatim are sent from where they lie, if they lie
    /// together.
    bytes results(int k, std::size_t c)
    {
        if (!gathers()) return {};
        auto& message = at(k, c).message;
        if (!messages_.verbatim()) return message;
        if (last(k) && !described_by_result(c)) return messages_.data().output(plan_.chunk(me_, c));
        if (message.empty()) {
            message.resize(messages_.max_results(at(k).parts));
            message.resize(messages_.write_results(k, c, at(k).parts, message));
            if (described_by_result(c)) describe(k, message);
        }
        return message;
    }

    void served(int k, std::size_t c)
    {
        auto& done = at(k, c);
        if (--done.unserved > 0) return;
        done.message = std::vector<std::byte>();  // `{}` would keep the memory
    }

private:
    static std::vector<std::byte> joined(std::vector<std::vector<std::byte>> messages)
    {
        if (messages.size() == 1) return std::move(messages.front());
        std::vector<std::byte> all;
        for (const auto& one : messages) all.insert(all.end(), one.begin(), one.end());
        return all;
    }

    void describe(int k, std::vector<std::byte>& message)
    {
        if (!reduces()) {
            const auto d = wire::encode(weights_.descriptor(k));
            message.insert(message.begin(), d.begin(), d.end());
            return;
        }
        const auto weights = weights_.told_of(0, plan_.weights_in_result());
        message.insert(message.begin(), weights.size() * sizeof(double), std::byte{});
        wire::store_weights(weights, message);
    }

    const call_plan& plan_;
    contribution_weights& weights_;
    phases what_;
    chunk_messages messages_;
    int me_;
    chunk_versions* held_;
    bool sums_ = false;
    std::deque<stage_ownership> owned_;  // by stage
};

}  // namespace papilio::detail
