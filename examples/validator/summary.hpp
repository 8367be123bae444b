#pragma once

#include "evaluation_budget.hpp"
#include "scores.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace papilio::example {

/// Totals of a run, accumulated round by round.
class summary {
public:
    /// `entropy` is the unigram entropy of the held-out text; NaN: the data is no text.
    summary(const evaluation& first, double entropy)
        : first_loss_(first.loss),
          last_loss_(first.loss),
          entropy_(entropy),
          sequences_(first.sequences),
          evaluating_seconds_(first.processor_seconds)
    {
    }

    void add(const observation& o, const std::vector<verdict>& verdicts);

    /// Each named miner's rounds and scores, for `carry_over` after a restart, when miners come
    /// back under other ids.
    nlohmann::ordered_json record() const;
    void carry_over(const nlohmann::json& record);

    /// Records the miners that have left, and why.
    void note_departures(const run_snapshot& now);
    void note_evaluation(const evaluation& e);

    /// A sentence for each requirement that the run does not meet: all digests of the last round
    /// are equal; newcomers have the group's digest after their first round; no miner moves more
    /// than 1.05 times the butterfly's bytes (among miners as they report, to the validator as it
    /// counts; rounds that went on without a member, or that move less than 4 KiB, do not count);
    /// the held-out loss ends 0.3 nat below the entropy, if there is one.
    std::vector<std::string> shortcomings() const;

    /// For a terminal. `seconds` is the duration of the run.
    std::string text(double seconds) const;
    nlohmann::ordered_json to_json(double seconds) const;

    struct miner_record {
        std::string name;
        std::uint32_t first_round = 0;  ///< in which it was in the group
        bool newcomer = false;          ///< it joined after the first round
        bool told = false;              ///< it has reported a digest
        bool first_matched = false;     ///< the first one that it reported was the group's
        int rounds = 0;                 ///< in which it took part
        int chances = 0;                ///< in which it was in the group
        double score = 0;               ///< sum over rounds
        std::string status;
        std::string digest;  ///< after its last round
        std::string left;    ///< why it left before the end; empty: it did not
    };
    const std::map<std::uint16_t, miner_record>& miners() const { return miners_; }
    int rounds() const { return rounds_; }

private:
    miner_record& of(const verdict& v);

    double first_loss_;
    double last_loss_;
    double entropy_;
    std::size_t sequences_;  // in the last evaluation
    double evaluating_seconds_;
    int evaluations_ = 0;  // after the one at the start
    int rounds_ = 0;
    int failed_ = 0;
    std::map<std::uint16_t, miner_record> miners_;
    std::map<std::string, miner_record> earlier_;  // by name, under ids that are lost
    std::string digest_;                           // after the last round
    std::vector<std::uint16_t> last_group_;

    // Sums over all miners and rounds.
    std::uint64_t shares_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t butterfly_ = 0;
    std::uint64_t to_observer_ = 0;
    double worst_ratio_ = 0;
    double averaging_seconds_ = 0;  // of the slowest miner, summed over rounds
};

}  // namespace papilio::example
