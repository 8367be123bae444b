#pragma once

#include "scores.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace papilio::example {

/// What a run came to, gathered round by round.
class summary {
public:
    /// `entropy` is the held-out text's own: see `unigram_entropy`.
    summary(double first_loss, double entropy)
        : first_loss_(first_loss), last_loss_(first_loss), entropy_(entropy)
    {
    }

    void add(const observation& o, const std::vector<verdict>& verdicts);
    /// Who has gone by now, and why.
    void note_departures(const overview& now);
    void note_loss(double held_out) { last_loss_ = held_out; }

    /// Sentences about what a good run would have come to and this one has not: all digests equal,
    /// newcomers with the group's after their first round, bytes within 1.05 of the butterfly's
    /// (among miners as they say, to this member as it counts), held-out loss 0.3 nat below the
    /// entropy.
    std::vector<std::string> shortcomings() const;

    /// For people; `seconds` is how long the run took.
    std::string text(double seconds) const;
    nlohmann::ordered_json to_json(double seconds) const;

    struct standing {
        std::string name;
        std::uint32_t first_round = 0;  ///< in which it was counted on
        bool newcomer = false;          ///< the run had begun without it
        bool first_matched = false;     ///< its digest after its first round was the group's
        int rounds = 0;                 ///< in which it took part
        int chances = 0;                ///< in which it could have
        double score = 0;               ///< sum
        std::string status;
        std::string digest;  ///< after its last round
        std::string left;    ///< why, if it has gone before the end
    };
    const std::map<std::uint16_t, standing>& miners() const { return miners_; }
    int rounds() const { return rounds_; }

private:
    double first_loss_;
    double last_loss_;
    double entropy_;
    int rounds_ = 0;
    int failed_ = 0;
    std::map<std::uint16_t, standing> miners_;
    std::string digest_;  // after the last round
    std::vector<std::uint16_t> last_group_;

    // Over all miners and rounds.
    std::uint64_t shares_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t butterfly_ = 0;
    std::uint64_t to_observer_ = 0;
    double worst_ratio_ = 0;
    double averaging_seconds_ = 0;  // the slowest miner's, round by round
};

}  // namespace papilio::example
