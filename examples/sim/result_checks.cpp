#include "result_checks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>

namespace papilio::example::simulator {

part result_of(const scenario& s, int rank)
{
    if (s.call == collective::reduce_scatter) return part_of(s, rank);
    if (s.role_of(rank) != role::auxiliary || s.auxiliaries_receive) return {0, s.elements};
    std::vector<double> shares;
    for (int p = 0; p < s.peers; ++p) shares.push_back(reduces(s.role_of(p)) ? 1 : 0);
    return partition(s.elements, shares)[at(rank)];
}

bool was_member(int rank, const papilio::report& decided)
{
    return std::ranges::find(decided.left, rank, &departure::rank) == decided.left.end();
}

namespace {

/// Judges the results of one run.
class result_judge {
public:
    explicit result_judge(const run_record& r) : r_(r), s_(r.of) {}

    std::vector<std::string> run()
    {
        for (int rank = 0; rank < s_.peers; ++rank)
            if (end_of(rank).success) check_result(rank);
        return std::move(found_);
    }

private:
    const peer_end& end_of(int rank) const { return r_.ends[at(rank)]; }

    void report(int rank, const std::string& what)
    {
        found_.push_back("peer " + std::to_string(rank) + " " + what);
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

    /// Of one that has succeeded.
    void check_result(int rank)
    {
        const auto wanted = result_of(s_, rank);
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
            // Contributions that change before they are reduced give all the same wrong result.
            if (begin < end && r_.flipped == 0) check_range(rank, {begin, end - begin}, range.from);
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

    const run_record& r_;
    const scenario& s_;
    std::map<int, std::vector<double>> inputs_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> wrong_results(const run_record& r)
{
    return result_judge(r).run();
}

}  // namespace papilio::example::simulator
