#include "summary.hpp"

#include <member/display.hpp>

#include <papilio/base/text.hpp>
#include <papilio/base/units.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace papilio::example {

namespace {

constexpr double max_bytes = 1.05;
constexpr std::uint64_t least_bytes = 4096;  // with fewer, most of a message is its head
constexpr double min_gain = 0.3;             // nat

double ratio(std::uint64_t bytes, std::uint64_t of)
{
    return of == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(of);
}

}  // namespace

void summary::add(const observation& o, const std::vector<verdict>& verdicts)
{
    const bool first = rounds_ == 0;
    o.outcome.ok ? ++rounds_ : ++failed_;
    if (o.outcome.ok) {
        digest_ = o.outcome.digest;
        last_group_.clear();
    }
    // What is made once more without a member takes more than the butterfly needs.
    const bool as_planned = o.outcome.left().empty();
    double slowest = 0;
    for (const verdict& v : verdicts) {
        miner_record& s = of(v);
        s.status = v.status;
        if (!o.outcome.ok || v.status == "absent") continue;
        if (s.chances++ == 0) {
            s.first_round = o.outcome.group.round + 1;
            s.newcomer = !first;
        }
        if (!v.digest.empty() && !std::exchange(s.told, true)) s.first_matched = v.took_part;
        s.score += v.score();
        s.digest = v.digest;
        last_group_.push_back(v.miner);
        if (!v.took_part) continue;
        ++s.rounds;
        slowest = std::max(slowest, v.seconds);
        if (!as_planned) continue;
        ++shares_;
        sent_ += v.sent;
        received_ += v.received;
        butterfly_ += v.butterfly;
        if (v.butterfly < least_bytes) continue;
        worst_ratio_ = std::max({worst_ratio_, ratio(v.sent, v.butterfly),
                                 ratio(v.received, v.butterfly), ratio(v.to_observer, v.part)});
    }
    averaging_seconds_ += slowest;
    if (o.outcome.ok) to_observer_ += o.own_report.bytes_received();
}

/// The record of a miner, which belongs to its name: it goes on where one of the same name ended
/// before a restart, or before its id was given to another miner.
summary::miner_record& summary::of(const verdict& v)
{
    const auto [entry, is_new] = miners_.try_emplace(v.miner);
    miner_record& s = entry->second;
    if (!is_new && s.name == v.name) return s;
    if (!s.name.empty()) earlier_[s.name] = std::move(s);
    const auto before = earlier_.find(v.name);
    s = before == earlier_.end() ? miner_record{} : before->second;
    if (before != earlier_.end()) earlier_.erase(before);
    s.name = v.name;
    return s;
}

nlohmann::ordered_json summary::record() const
{
    nlohmann::ordered_json miners = nlohmann::ordered_json::object();
    const auto add = [&](const std::string& name, const miner_record& s) {
        if (!name.empty())
            miners[name] = {{"first_round", s.first_round},
                            {"rounds", s.rounds},
                            {"chances", s.chances},
                            {"score", s.score}};
    };
    for (const auto& [name, s] : earlier_) add(name, s);
    for (const auto& [id, s] : miners_) add(s.name, s);
    return {{"miners", std::move(miners)}};
}

void summary::carry_over(const nlohmann::json& record)
{
    if (!record.is_object() || !record.contains("miners")) return;
    for (const auto& [name, m] : record["miners"].items()) {
        miner_record& s = earlier_[name];
        s.first_round = m.value("first_round", 0u);
        s.rounds = m.value("rounds", 0);
        s.chances = m.value("chances", 0);
        s.score = m.value("score", 0.0);
        s.told = s.first_matched = true;
    }
}

void summary::note_evaluation(const evaluation& e)
{
    last_loss_ = e.loss;
    sequences_ = e.sequences;
    ++evaluations_;
    evaluating_seconds_ += e.processor_seconds;
}

void summary::note_departures(const run_snapshot& now)
{
    for (const auto& [id, m] : now.members)
        if (!m.present && !m.dismissed && miners_.contains(id)) miners_[id].left = m.left;
}

std::vector<std::string> summary::shortcomings() const
{
    std::vector<std::string> all;
    if (rounds_ == 0) all.push_back("no round succeeded");
    for (const auto id : last_group_)
        if (miners_.at(id).digest != digest_)
            all.push_back(
                fmt::format("miner {} does not have the group's digest after the last round", id));
    for (const auto& [id, s] : miners_)
        if (s.newcomer && !s.first_matched && (s.told || s.left.empty()))
            all.push_back(
                fmt::format("newcomer {} did not have the group's digest after its first "
                            "round",
                            id));
    if (worst_ratio_ > max_bytes)
        all.push_back(fmt::format("a miner moved {:.3f} times the butterfly's bytes, above {}",
                                  worst_ratio_, max_bytes));
    if (!std::isnan(entropy_) && !(last_loss_ <= entropy_ - min_gain))
        all.push_back(
            fmt::format("the held-out loss of {:.3f} is not {} below the text's unigram "
                        "entropy of {:.3f}",
                        last_loss_, min_gain, entropy_));
    return all;
}

std::string summary::text(double seconds) const
{
    std::string t = fmt::format(
        "held-out loss    {:.3f} at the start, {:.3f} at the end\n"
        "evaluated        {} sequences, at the start and after {} of the rounds, in {} of "
        "processor time\n",
        first_loss_, last_loss_, sequences_, evaluations_, span_of(evaluating_seconds_));
    if (!std::isnan(entropy_)) t += fmt::format("unigram entropy  {:.3f}\n", entropy_);
    t += fmt::format("rounds           {} in {}{}\n", rounds_, span_of(seconds),
                     failed_ > 0 ? fmt::format(", {} failed attempts", failed_) : "");
    if (shares_ > 0) {
        t += fmt::format(
            "bytes            {} sent to other miners by a miner in a round, as they report; the "
            "butterfly needs {}: {:.3f} times\n"
            "                 {} more to the validator, as it counts; at most {:.3f} times "
            "the bytes needed\n",
            human_bytes(sent_ / shares_), human_bytes(butterfly_ / shares_),
            ratio(sent_, butterfly_), human_bytes(to_observer_ / shares_), worst_ratio_);
        t += fmt::format("all-reduce       {} a round, {:.1f}% of the run\n",
                         span_of(averaging_seconds_ / rounds_), 100 * averaging_seconds_ / seconds);
    }
    for (const auto& [id, s] : miners_) {
        const std::string called = s.name.empty() ? "" : " " + printable(s.name, 60);
        t += fmt::format("miner {:<10} {} rounds, digest {:.16}{}{}\n",
                         fmt::format("{}{}", id, called), s.rounds, printable(s.digest),
                         s.newcomer ? fmt::format(", joined for round {}", s.first_round) : "",
                         s.left.empty() ? "" : ", left: " + printable(s.left));
    }
    return t;
}

nlohmann::ordered_json summary::to_json(double seconds) const
{
    nlohmann::ordered_json miners = nlohmann::ordered_json::array();
    for (const auto& [id, s] : miners_)
        miners.push_back({{"miner", id},
                          {"name", s.name},
                          {"rounds", s.rounds},
                          {"first_round", s.first_round},
                          {"newcomer", s.newcomer},
                          {"matched_after_first_round", s.first_matched},
                          {"mean_score", s.chances == 0 ? 0 : s.score / s.chances},
                          {"digest", s.digest},
                          {"left", s.left}});
    return {{"seconds", seconds},
            {"rounds", rounds_},
            {"failed_attempts", failed_},
            {"held_out_loss_first", first_loss_},
            {"held_out_loss_last", last_loss_},
            {"evaluated_sequences", sequences_},
            {"evaluated_rounds", evaluations_},
            {"evaluation_processor_seconds", evaluating_seconds_},
            {"unigram_entropy", entropy_},
            {"bytes_sent_per_miner_and_round", shares_ == 0 ? 0 : sent_ / shares_},
            {"bytes_received_per_miner_and_round", shares_ == 0 ? 0 : received_ / shares_},
            {"butterfly_bytes_per_miner_and_round", shares_ == 0 ? 0 : butterfly_ / shares_},
            {"validator_bytes_per_miner_and_round", shares_ == 0 ? 0 : to_observer_ / shares_},
            {"worst_ratio_to_butterfly", worst_ratio_},
            {"all_reduce_seconds_per_round", rounds_ == 0 ? 0 : averaging_seconds_ / rounds_},
            {"all_reduce_share_of_run", seconds > 0 ? averaging_seconds_ / seconds : 0},
            {"digest", digest_},
            {"miners", std::move(miners)},
            {"shortcomings", shortcomings()}};
}

}  // namespace papilio::example
