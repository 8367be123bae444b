#include "local_training.hpp"

#include <member/display.hpp>
#include <member/prepare.hpp>
#include <trainer/checkpoint.hpp>
#include <trainer/problem.hpp>

#include <papilio/base/units.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <random>

namespace papilio::example {

namespace {

/// The seed of this miner's batches: the option, else the checkpoint's, else a random one. Miners
/// with equal seeds would train on the same batches.
std::uint64_t peer_seed(const miner_options& o, const std::filesystem::path& checkpoint)
{
    if (o.peer_seed) return *o.peer_seed;
    if (!checkpoint.empty()) {
        const auto text = checkpoint_reader(checkpoint).text("state.json");
        const auto state = nlohmann::json::parse(text, nullptr, false);
        if (state.contains("draws")) return state["draws"].value("peer", std::uint64_t{0});
    }
    if (o.alone) return 0;
    std::random_device draw;
    return draw();
}

std::uint64_t peak_memory()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

local_training::local_training(const miner_options& o, papilio::model& of)
    : options_(o),
      kept_(prepare(o.checkpoint, o.resume)),
      training_(of.make(), peer_seed(o, checkpoint_of(kept_))),
      progress_(std::uint64_t{o.rounds} * o.inner_steps, o.minutes),
      saver_(kept_.get(), training_, progress_),
      metrics_(o.metrics, [this](const std::string& line) { progress_.warn(line); })
{
    const auto notes = training_.of().notes();
    if (!notes.model.empty()) progress_.note(notes.model);
    if (!notes.warning.empty()) progress_.warn(notes.warning);
    update_.resize(training_.size());
    if (!o.alone && uses_error_feedback(o.run.codec))
        residuals_ = update_residuals(training_.size());
    load();
}

void local_training::load()
{
    if (!checkpoint_of(kept_).empty()) {
        resume();
    } else {
        if (options_.resume)
            progress_.note(fmt::format("there is no checkpoint in {} yet: begins anew",
                                       options_.checkpoint.string()));
        if (const auto from = training_.of().notes().first_weights; !from.empty())
            progress_.note(from);
        auto first = first_state(training_.parameters());
        auto first_digest = example::digest(*first);
        adopt(std::move(first), std::move(first_digest));
    }
    saver_.skip(*state_);
}

void local_training::resume()
{
    const auto from = checkpoint_of(kept_);
    auto outer = training_.resume(from);
    auto s = std::make_shared<state_snapshot>();
    s->round = static_cast<std::uint32_t>(outer.round);
    if (outer.anchor.size() != training_.size() || outer.momentum.size() != training_.size())
        throw problem(errc::mismatch, "the checkpoint " + from.string() +
                                          " holds no outer optimiser: it is not a miner's");
    s->spans.push_back(std::move(outer.anchor));
    s->spans.push_back(std::move(outer.momentum));
    if (outer.residuals.size() == residuals_.size())
        residuals_.set(std::vector<bf16>(outer.residuals.begin(), outer.residuals.end()));
    state_ = std::move(s);
    digest_ = example::digest(*state_);
    // When --inner-steps has changed since, the round starts again.
    const std::uint64_t begin = state_->round * options_.inner_steps;
    const auto next = training_.next_step();
    if (next < begin || next > begin + options_.inner_steps) training_.skip_to(begin);
    progress_.note(fmt::format("goes on from {}: round {}, step {}", from.string(), state_->round,
                               training_.next_step()));
}

void local_training::adopt(shared_state next, std::string digest)
{
    times_.enter(round_part::other);
    state_ = std::move(next);
    digest_ = std::move(digest);
    training_.set_parameters(weights(*state_));
    training_.skip_to(state_->round * options_.inner_steps);
    steps_in_round_ = tokens_in_round_ = 0;
}

std::uint64_t local_training::steps_until_round() const
{
    return (state_->round + std::uint64_t{1}) * options_.inner_steps - training_.next_step();
}

wire::round_ready local_training::readiness() const
{
    const double loss = std::isinf(last_loss_) ? std::nan("") : last_loss_;
    return {state_->round, digest_, static_cast<std::uint32_t>(steps_in_round_), tokens_in_round_,
            loss};
}

std::span<const float> local_training::update()
{
    times_.enter(round_part::checkpoint_wait);
    saver_.finish();
    times_.enter(options_.alone ? round_part::averaging : round_part::waiting);
    metrics_.flush();
    pseudo_gradient(weights(*state_), training_.parameters(), update_);
    return update_;
}

void local_training::saw_attempt(const wire::group&, const average_result& how,
                                 std::span<const float>)
{
    const std::chrono::duration<double> since_called(how.seconds);
    const auto now = round_times::clock::now();
    times_.enter(round_part::averaging,
                 now - std::chrono::duration_cast<round_times::clock::duration>(since_called));
}

void local_training::step()
{
    if (saver_.ended()) saver_.finish();
    times_.enter(round_part::steps);
    const step_report r = training_.step();
    times_.enter(round_part::other);
    ++steps_in_round_;
    tokens_in_round_ += r.tokens;
    last_loss_ = r.loss;
    progress_.step(r, state_->round, steps_until_round());
    if (r.step % options_.metrics_every == 0) record_step(r);
}

void local_training::record_step(const step_report& r)
{
    nlohmann::ordered_json line = {
        {"event", "step"}, {"step", r.step}, {"round", state_->round}, {"loss", r.loss}};
    if (!std::isnan(r.gradient_norm)) line["gradient_norm"] = r.gradient_norm;
    if (!std::isnan(r.rate)) line["rate"] = r.rate;
    line["tokens"] = r.tokens;
    line["seconds"] = r.seconds;
    metrics_.write(std::move(line));
}

void local_training::record_round(const average_result* how, std::size_t members)
{
    nlohmann::ordered_json line = {
        {"event", "round"}, {"round", state_->round}, {"members", members}, {"digest", digest_}};
    std::string text = fmt::format("round {} done, digest {:.12}", state_->round, digest_);
    if (how != nullptr) {
        const report& r = how->call_report;
        line["bytes_sent"] = r.bytes_sent();
        line["bytes_received"] = r.bytes_received();
        line["seconds"] = how->seconds;
        if (!how->left.empty()) {
            auto& left = line["left"] = nlohmann::ordered_json::array();
            for (const auto& m : how->left) left.push_back(m.id);
        }
        line["up_mbit"] = r.up.bytes_per_second * 8 / 1e6;
        line["down_mbit"] = r.down.bytes_per_second * 8 / 1e6;
        text += fmt::format(": averaged by {} in {}, {} sent", members, span_of(how->seconds),
                            human_bytes(r.bytes_sent()));
    }
    text += record_parts(line);
    if (options_.evaluate > 0) {
        const double loss = training_.evaluate(options_.evaluate).loss;
        line["held_out_loss"] = loss;
        text += fmt::format(", held-out loss {:.4f}", loss);
    }
    progress_.note(text);
    metrics_.write(std::move(line));
    metrics_.flush();
}

/// What the time of the round that ends here went into. The next one begins.
std::string local_training::record_parts(nlohmann::ordered_json& line)
{
    times_.enter(round_part::other);
    const double whole = times_.whole();
    line["round_seconds"] = whole;
    std::string text;
    for (const auto& [part, name] : round_part_names) {
        const double seconds = times_.seconds(part);
        line["parts"][name] = seconds;
        text += fmt::format("{} {} {:.1f}%", text.empty() ? ";" : ",", name,
                            whole > 0 ? 100 * seconds / whole : 0);
    }
    times_.begin();
    return text;
}

void local_training::record_fetch()
{
    times_.begin();
    progress_.note(
        fmt::format("took over the state after round {}, digest {:.12}", state_->round, digest_));
    metrics_.write({{"event", "fetched"}, {"round", state_->round}, {"digest", digest_}});
    metrics_.flush();
}

bool local_training::save(bool last)
{
    times_.enter(round_part::checkpoint_wait);
    if (last || state_->round % options_.checkpoint_every == 0) saver_.begin(state_, residuals_);
    const bool saved = !last || saver_.finish();
    if (last) metrics_.flush();  // the next line may be long in coming
    times_.enter(round_part::other);
    return saved;
}

void local_training::finish()
{
    const bool saved = save(true);
    progress_.note(fmt::format("ended after round {}, step {}, digest {}; peak memory {}",
                               state_->round, training_.next_step(), digest_,
                               human_bytes(peak_memory())));
    metrics_.write({{"event", "end"},
                    {"round", state_->round},
                    {"step", training_.next_step()},
                    {"digest", digest_},
                    {"peak_memory", peak_memory()}});
    if (!saved)
        throw problem(std::make_error_code(std::errc::io_error),
                      "the last checkpoint could not be saved");
}

run_member_options member_part(const miner_options& o, const local_training& training)
{
    run_member_options m;
    if (!o.alone) m.client = client_part(o, training.parameters());
    m.client.identity = training.identity();
    m.codec = o.run.codec;
    m.outer = o.run.outer;
    m.rounds = o.rounds;
    m.patience = o.patience;
    return m;
}

}  // namespace papilio::example
