#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/stage_progress.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Collects the contributions to the chunks that this peer owns, and reduces a chunk when the last
/// of its contributions has come.
class chunk_reducer {
public:
    chunk_reducer(stage_progress& progress, peer_io& io, contribution_weights& weights,
                  result_digests& results, thread_pool* pool)
        : progress_(progress),
          plan_(progress.plan()),
          io_(io),
          weights_(weights),
          results_(results),
          pool_(pool)
    {
    }
    chunk_reducer(const chunk_reducer&) = delete;
    chunk_reducer& operator=(const chunk_reducer&) = delete;

    /// Notes a peer's contribution to chunk c; true if it was the last one missing.
    bool note(int k, int peer, std::size_t c, bytes message)
    {
        auto& mine = progress_.at(k);
        if (c == 0) {
            message = message.subspan(weights_.take(peer, message));
        }
        if (!weights_.contributes_block(peer, k)) {
            if (!message.empty())
                throw std::system_error(errc::bad_message,
                                        "a contribution from a peer that contributes nothing");
            return false;
        }
        if (weights_.has_elements(peer, k)) {
            auto& contributions = progress_.at(k, c).contributions;
            contributions.resize(index(plan_.stages.radix(k)));
            contributions[index(progress_.digit_of(peer, k))] =
                progress_.messages().split(k, mine.parts, message);
        } else if (!message.empty()) {
            throw std::system_error(errc::bad_message, "elements from a peer of weight 0");
        }
        if (c == 0 && --mine.undescribed == 0) mine.described.open();
        return --progress_.at(k, c).awaited == 0;
    }

    /// Reduces chunk c of stage k, and of each later stage in which only this was missing.
    task<> reduce_onwards(int k, std::size_t c)
    {
        for (bool complete = true; complete; ++k) {
            std::vector<std::byte> encoded;
            task<> work = reduce(k, c, encoded);
            co_await std::move(work);
            progress_.at(k, c).contributions.clear();
            progress_.at(k, c).reduced.open();
            if (progress_.last(k)) {
                progress_.hold(progress_.at(k).parts, c);
                if (progress_.gathers()) progress_.finish(k, c, 0, std::move(encoded));
                co_return;
            }
            complete = !progress_.at(k + 1).chunks.empty() && --progress_.at(k + 1, c).awaited == 0;
        }
    }

    /// Encodes chunk c of this peer's own part, which is a result as it is, for all others.
    task<> gather_own(std::size_t c)
    {
        std::vector<std::byte> encoded;
        std::uint64_t digest = 0;
        auto encode = [&] {
            encoded = progress_.messages().encode_own(c);
            digest = digest_of_own(c, encoded);
        };
        co_await offload(pool_, encode);
        results_.add(digest);
        const int last = progress_.stages() - 1;
        progress_.hold(progress_.at(last).parts, c);
        progress_.finish(last, c, 0, std::move(encoded));
    }

private:
    /// Where nobody of a block contributes, there is nothing to do, and nothing to send in the next
    /// stage.
    task<> reduce(int k, std::size_t c, std::vector<std::byte>& encoded)
    {
        const auto present = weights_.of_stage(k);
        if (present.empty() && progress_.last(k)) throw nobody_contributes(io_.me());
        if (present.empty()) co_return;
        pooled_buffer scratch;
        if (!spare_.empty()) {
            scratch = std::move(spare_.back());
            spare_.pop_back();
        }
        std::uint64_t digest = 0;
        auto work = [&] {
            blame_result(io_.me(), [&] { reduce_parts(k, c, present, scratch, encoded); });
            if (progress_.last(k)) digest = digest_of_own(c, encoded);
        };
        co_await offload(pool_, work);
        results_.add(digest);
        spare_.push_back(std::move(scratch));
    }

    /// Of the result of chunk c of this peer's part, as it is sent to others.
    std::uint64_t digest_of_own(std::size_t c, bytes encoded) const
    {
        const auto& messages = progress_.messages();
        const int last = progress_.stages() - 1;
        const auto& part = progress_.at(last).parts;
        const auto where = plan_.chunk(part.front(), c);
        return progress_.digest(last, c, part,
                                messages.verbatim() ? messages.data().output(where) : encoded);
    }

    void reduce_parts(int k, std::size_t c, std::span<const contributor> present,
                      pooled_buffer& scratch, std::vector<std::byte>& encoded)
    {
        const auto& messages = progress_.messages();
        const auto weights = weights_of(present);
        const bool travels = progress_.last(k) && progress_.gathers() && !messages.verbatim();
        std::vector<contribution> from;
        const auto& parts = progress_.at(k).parts;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto where = plan_.chunk(parts[i], c);
            find_contributions(k, c, i, where, present, from);
            const chunk_input chunk{.where = where,
                                    .kind = chunk_messages::kind_in(k),
                                    .from = from,
                                    .weights = weights,
                                    .me = io_.me()};
            messages.data().reduce(chunk, scratch, travels ? &encoded : nullptr);
        }
    }

    /// The contributions to part i of chunk c, in rank order.
    void find_contributions(int k, std::size_t c, std::size_t i, part where,
                            std::span<const contributor> present, std::vector<contribution>& found)
    {
        found.clear();
        for (const auto& [peer, weight] : present) {
            const auto digit = index(progress_.digit_of(peer, k));
            if (peer != io_.me())
                found.push_back({peer, progress_.at(k, c).contributions[digit][i]});
            else
                found.push_back({-1, progress_.messages().elements(k, where)});
        }
    }

    stage_progress& progress_;
    const call_plan& plan_;
    peer_io& io_;
    contribution_weights& weights_;
    result_digests& results_;
    thread_pool* pool_;
    std::vector<pooled_buffer> spare_;  // for decoded contributions, used again and again
};

}  // namespace papilio::detail
