#include "checks.hpp"

#include "survivors.hpp"

#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

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
            if (end_of(rank).success) check_result(rank);
        }
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

    double value(std::uint32_t word) const
    {
        return s_.integers ? static_cast<double>(std::bit_cast<std::int32_t>(word))
                           : static_cast<double>(std::bit_cast<float>(word));
    }

    const std::vector<double>& input(int rank)
    {
        auto& known = inputs_[rank];
        if (known.empty()) known = input_of(s_, rank);
        return known;
    }

    /// The elements that its result is made of: an auxiliary that declines has those of its part.
    part result_of(int rank) const
    {
        if (s_.call == collective::reduce_scatter) return part_of(s_, rank);
        if (s_.role_of(rank) != role::auxiliary || s_.auxiliaries_receive) return {0, s_.elements};
        std::vector<double> shares;
        for (int p = 0; p < s_.peers; ++p) shares.push_back(reduces(s_.role_of(p)) ? 1 : 0);
        return partition(s_.elements, shares)[at(rank)];
    }

    /// How far an element may be from the exact result, in parts of the sum of the largest
    /// magnitudes: a rounding by the codec at each stage, and one of the result.
    double tolerance() const
    {
        if (s_.integers || (s_.codec == coding::identity && !s_.weighted)) return 0;
        constexpr double of_floats = 1e-5;
        constexpr std::array by_codec{0.0, 1.0 / 252, 1.0 / 2048};
        const auto roundings = static_cast<double>(std::max<std::size_t>(s_.radix.size(), 1) + 1);
        return of_floats + 1.02 * roundings * by_codec[static_cast<std::size_t>(s_.codec)];
    }

    void check_result(int rank)
    {
        const auto wanted = result_of(rank);
        const auto& done = *end_of(rank).success;
        std::size_t next = 0;
        bool right = true;
        for (const auto& range : done.made_of) {
            right = right && range.range.begin >= next && range.range.end() <= s_.elements &&
                    may_be_missing({next, range.range.begin - next}, done);
            if (!right) break;
            next = range.range.end();
            check_contributors(rank, range);
            const auto begin = std::max(wanted.begin, range.range.begin);
            const auto end = std::min(wanted.end(), range.range.end());
            if (begin < end) check_range(rank, {begin, end - begin}, range.from);
        }
        if (!right || !may_be_missing({next, s_.elements - next}, done))
            report(rank, "reports ranges that are not the result's");
    }

    /// Of an all_gather and a reduce_scatter, whole parts of those who are not in it any more. An
    /// all_gather may also have gone on without one in a view whose vote was adopted later, when
    /// the owner was there again.
    bool may_be_missing(part range, const papilio::report& done) const
    {
        if (range.size == 0) return true;
        if (s_.call != collective::all_gather && s_.call != collective::reduce_scatter)
            return false;
        std::size_t missing = 0;
        for (int owner = 0; owner < s_.peers; ++owner) {
            const auto own = part_of(s_, owner);
            const bool within = own.begin >= range.begin && own.end() <= range.end();
            const bool may_lack = s_.call == collective::all_gather && done.view > 1;
            if (within && (may_lack || !was_member(owner, done))) missing += own.size;
        }
        return missing == range.size;
    }

    void check_contributors(int rank, const contributions& range)
    {
        int before = -1;
        bool right = !range.from.empty();
        for (const auto& c : range.from) {
            right = right && c.rank > before && c.rank < s_.peers &&
                    c.weight == s_.weight_of(c.rank) && c.weight > 0;
            before = c.rank;
        }
        if (s_.call == collective::all_gather)
            right =
                right && range.from.size() == 1 && range.range == part_of(s_, range.from[0].rank);
        if (!right) report(rank, "reports contributors that cannot be");
    }

    /// Against a sum in double.
    void check_range(int rank, part range, const std::vector<contributor>& from)
    {
        std::vector<double> sum(range.size, 0.0);
        double total = 0, largest = 0;
        for (const auto& c : from) {
            const auto& all = input(c.rank);
            const double weight = s_.weighted ? c.weight : 1;
            double most = 0;
            for (std::size_t i = 0; i < range.size; ++i) sum[i] += weight * all[range.begin + i];
            for (const double x : all) most = std::max(most, std::abs(x));
            largest += weight * most;
            total += weight;
        }
        const double scale = s_.weighted ? total : 1;
        const double bound = tolerance() * largest / scale;
        const auto& out = end_of(rank).out;
        for (std::size_t i = 0; i < range.size; ++i)
            if (!(std::abs(value(out[range.begin + i]) - sum[i] / scale) <= bound)) {
                report(rank, "has a wrong number at " + std::to_string(range.begin + i) + ": " +
                                 std::to_string(value(out[range.begin + i])) + " in place of " +
                                 std::to_string(sum[i] / scale));
                return;
            }
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
            if (!same_bits(first, rank))
                report(rank, "has other bits than peer " + std::to_string(first));
        }
    }

    /// In the ranges that the report tells of.
    bool same_bits(int first, int rank) const
    {
        const auto a = result_of(first), b = result_of(rank);
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

    /// Of the view that has been decided: others may have gone on without a peer that failed.
    bool was_member(int rank, const papilio::report& decided) const
    {
        return std::ranges::find(decided.left, rank, &departure::rank) == decided.left.end();
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
    std::map<int, std::vector<double>> inputs_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> violations(const run_record& r)
{
    return judge(r).run();
}

}  // namespace papilio::example::simulator
