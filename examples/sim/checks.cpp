#include "checks.hpp"

#include "result_checks.hpp"
#include "survivors.hpp"

#include <algorithm>
#include <utility>

namespace papilio::example::simulator {

namespace {

/// Whether no range that both tell of is of different contributors.
bool agree_where_both_tell(const std::vector<contributions>& one,
                           const std::vector<contributions>& other)
{
    for (const auto& a : one)
        for (const auto& b : other) {
            const auto begin = std::max(a.range.begin, b.range.begin);
            if (begin < std::min(a.range.end(), b.range.end()) && a.from != b.from) return false;
        }
    return true;
}

/// Judges one run.
class judge {
public:
    explicit judge(const run_record& r) : r_(r), s_(r.of) {}

    std::vector<std::string> run()
    {
        if (!r_.quiet) found_.emplace_back("the run does not come to an end");
        for (int rank = 0; rank < s_.peers; ++rank) {
            check_end(rank);
            check_buffers(rank);
            check_memory(rank);
        }
        for (auto& wrong : wrong_results(r_)) found_.push_back(std::move(wrong));
        check_agreement();
        check_all_or_nothing();
        check_calm();
        check_survivors();
        return std::move(found_);
    }

private:
    const peer_end& end_of(int rank) const { return r_.ends[at(rank)]; }

    void report(int rank, const std::string& what)
    {
        found_.push_back("peer " + std::to_string(rank) + " " + what);
    }

    /// In time, unless it was stopped then.
    void check_end(int rank)
    {
        const auto& end = end_of(rank);
        if (!end.has_ended()) {
            if (!end.died && !end.stands) report(rank, "has not ended");
            return;
        }
        if (!end.other.empty()) report(rank, "has thrown what no call should: " + end.other);
        const auto until = std::max(end.began + s_.timeout, end.went_on);
        if (end.ended > until) report(rank, "has ended after its timeout");
    }

    void check_buffers(int rank)
    {
        const auto& end = end_of(rank);
        if (s_.in_place && (end.success || !end.has_ended())) return;
        if (end.in != end.given) report(rank, "has not the data that it had");
    }

    /// What others may have sent it before it asked for that.
    void check_memory(int rank)
    {
        const auto most = s_.early_limit * at(s_.peers - 1);
        if (end_of(rank).most_early_bytes > most) report(rank, "has kept too many early messages");
    }

    /// Whether two peers may both report this. In a barrier each reports with whom it has ended. In
    /// a reduce_scatter who goes on without a peer does not tell of that one's part; but the peer
    /// may have ended before.
    bool may_report(const std::vector<contributions>& one,
                    const std::vector<contributions>& other) const
    {
        if (s_.call == collective::barrier) return true;
        return s_.call == collective::reduce_scatter ? agree_where_both_tell(one, other)
                                                     : one == other;
    }

    /// Bits and contributors are the same for all that have them.
    void check_agreement()
    {
        int first = -1;
        for (int rank = 0; rank < s_.peers; ++rank) {
            if (!end_of(rank).success) continue;
            if (first < 0) {
                first = rank;
                continue;
            }
            const auto& a = end_of(first);
            const auto& b = end_of(rank);
            if (!may_report(a.success->made_of, b.success->made_of))
                report(rank, "reports other contributors than peer " + std::to_string(first));
            if (!same_bits(first, rank) && (r_.flipped == 0 || compares_results(s_)))
                report(rank, "has other bits than peer " + std::to_string(first));
        }
    }

    /// In the ranges that the report tells of.
    bool same_bits(int first, int rank) const
    {
        const auto a = result_of(s_, first), b = result_of(s_, rank);
        for (const auto& [range, from] : end_of(rank).success->made_of) {
            const auto end = std::min({a.end(), b.end(), range.end()});
            for (auto i = std::max({a.begin, b.begin, range.begin}); i < end; ++i)
                if (end_of(first).out[i] != end_of(rank).out[i]) return false;
        }
        return true;
    }

    bool failed_for_certain(int rank) const
    {
        const auto& end = end_of(rank);
        return votes(s_.role_of(rank)) && end.failure &&
               end.failure->code() != errc::outcome_unknown &&
               end.failure->code() != errc::left_out;
    }

    void check_all_or_nothing()
    {
        for (int winner = 0; winner < s_.peers; ++winner)
            for (int loser = 0; loser < s_.peers; ++loser) {
                const auto& won = end_of(winner).success;
                if (!won || !failed_for_certain(loser) || !was_member(loser, *won)) continue;
                report(loser, "has failed for certain, and peer " + std::to_string(winner) +
                                  " has succeeded");
                return;
            }
    }

    /// Where nothing happens, all succeed, unless nobody contributes; an observer if it is in time.
    void check_calm()
    {
        if (!s_.faults.empty()) return;
        bool possible = false;
        for (int rank = 0; rank < s_.peers; ++rank) possible |= s_.weight_of(rank) > 0;
        for (int rank = 0; rank < s_.peers; ++rank)
            if (votes(s_.role_of(rank)) && possible != end_of(rank).success.has_value())
                report(rank, possible ? "has failed without a fault" : "has a result of nothing");
    }

    /// A majority that nothing befalls goes on without the others, all of it.
    void check_survivors()
    {
        for (const int rank : survivors(s_))
            if (!end_of(rank).success)
                report(rank, "has failed, in a majority that nothing has befallen");
    }

    const run_record& r_;
    const scenario& s_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> violations(const run_record& r)
{
    return judge(r).run();
}

}  // namespace papilio::example::simulator
