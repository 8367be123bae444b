#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/collective/detail/business.hpp>
#include <papilio/collective/detail/call_run.hpp>
#include <papilio/collective/detail/cargo.hpp>
#include <papilio/collective/detail/plan.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace papilio::detail {

/// Which halves of an all-reduce take place.
enum class halves : std::uint8_t {
    both,            ///< contributions go to the owners, and results come from them
    reduce_scatter,  ///< contributions only
    all_gather,      ///< results only, each owner's own
};

/// What is this peer's business in a call, stage by stage, and how far it is done. Both sides of
/// its conversations meet here: an `owner_side` makes results and hands them out, an `asker_side`
/// brings in those of others, which this peer may have to pass on.
template <element T, class Codec>
class holdings {
public:
    using load_type = cargo<T, Codec>;

    holdings(detail::call_run& r, const call_plan& plan, halves what, buffers<T> data, Codec codec)
        : plan_(plan), what_(what), call_(r), load_(plan, data, codec, r.me())
    {
        for (int k = 0; k < stages(); ++k) business_.emplace_back(plan, r.ballot(), r.me(), k);
    }
    holdings(const holdings&) = delete;
    holdings& operator=(const holdings&) = delete;

    detail::call_run& call() noexcept { return call_; }
    const call_plan& plan() const noexcept { return plan_; }
    const load_type& load() const noexcept { return load_; }

    int stages() const { return plan_.stages.stages(); }
    bool last(int k) const { return k + 1 == stages(); }
    int digit_of(int peer, int k) const { return plan_.stages.digit(peer, k); }
    bool folds() const noexcept { return what_ != halves::all_gather; }
    bool gathers() const noexcept { return what_ != halves::reduce_scatter; }

    business& at(int k) { return business_[static_cast<std::size_t>(k)]; }
    column& at(int k, std::size_t c) { return at(k).columns[c]; }

    /// The others of my group in stage k, from my neighbour on around the ring: no peer is
    /// everybody's first.
    std::vector<int> met_in(int k) const
    {
        std::vector<int> peers;
        const int radix = plan_.stages.radix(k), mine = digit_of(call_.me(), k);
        for (int step = 1; step < radix; ++step)
            peers.push_back(plan_.stages.partner(call_.me(), k, (mine + step) % radix));
        return peers;
    }

    /// Where there are no contributions, the first result carries the descriptor.
    bool described_by_result(std::size_t c) const noexcept { return !folds() && c == 0; }

    /// Whether no column is left that would wait for this one's answer.
    bool needs_no_credit(std::size_t c) const noexcept { return c + plan_.lanes >= plan_.columns; }

    /// The results of column c that `digit` of stage k + 1 owns, or I in the last stage, are in
    /// `out`, and travel on as `encoded`. With the last of them those whom I meet in stage k can
    /// have all, and the stage before has one digit's more.
    void finish(int k, std::size_t c, int digit, std::vector<std::byte> encoded)
    {
        auto& done = at(k, c);
        if constexpr (!verbatim) done.results[static_cast<std::size_t>(digit)] = std::move(encoded);
        if (--done.unfinished > 0) return;
        done.message = joined(std::exchange(done.results, {}));
        std::vector<std::byte> passed_on;
        if (!verbatim && k > 0) passed_on = for_stage_before(k, done.message);
        if (!verbatim && described_by_result(c)) describe(k, done.message);
        done.ready.open();
        if (k > 0) finish(k - 1, c, digit_of(call_.me(), k), std::move(passed_on));
    }

    /// A message of stage k, as the stage before passes it on.
    std::vector<std::byte> for_stage_before(int k, bytes message) const
    {
        return last(k) ? behind_its_length(message)
                       : std::vector<std::byte>(message.begin(), message.end());
    }

    /// What everybody whom I meet in stage k is sent about column c, once it is ready; until the
    /// last of them is `served`. Elements that travel as they are are sent from where they lie, if
    /// they lie together.
    bytes results(int k, std::size_t c)
    {
        if (!gathers()) return {};
        auto& message = at(k, c).message;
        if constexpr (verbatim) {
            if (last(k) && !described_by_result(c))
                return std::as_bytes(load_.output(plan_.chunk(call_.me(), c)));
            if (message.empty()) {
                message.resize(load_.room_for_results(at(k).parts));
                message.resize(load_.write_results(k, c, at(k).parts, message));
                if (described_by_result(c)) describe(k, message);
            }
        }
        return message;
    }

    void served(int k, std::size_t c)
    {
        if (--at(k, c).unserved == 0) at(k, c).message = {};
    }

private:
    static constexpr bool verbatim = load_type::verbatim;

    void describe(int k, std::vector<std::byte>& message)
    {
        const auto d = wire::encode(call_.ballot().descriptor(k));
        message.insert(message.begin(), d.begin(), d.end());
    }

    const call_plan& plan_;
    halves what_;
    detail::call_run& call_;
    load_type load_;
    std::deque<business> business_;  // by stage
};

}  // namespace papilio::detail
