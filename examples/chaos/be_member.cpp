// A member of the run: contributes vectors that its number and the round determine.

#include "process_options.hpp"
#include "report_pipe.hpp"
#include "timing.hpp"
#include "vectors.hpp"

#include <member/jsonl_log.hpp>
#include <member/log_line.hpp>
#include <member/logging.hpp>
#include <member/program.hpp>
#include <member/run_member.hpp>
#include <member/signals.hpp>

#include <papilio/base/random.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

namespace papilio::example::chaos {

namespace {

std::vector<contributed_range> contributors_of(const report& r, const wire::group& group)
{
    std::vector<contributed_range> all;
    for (const auto& c : r.made_of) {
        contributed_range range{c.range.begin, c.range.size, {}};
        for (const auto& from : c.from) {
            const auto& member = group.members.at(static_cast<std::size_t>(from.rank));
            range.members.push_back(member_at(member.at.host));
        }
        all.push_back(std::move(range));
    }
    return all;
}

/// Ports are new in each membership, so that no two groups have the same name.
std::string name_of(const wire::group& group)
{
    std::string name = fmt::format("{}.{}.{}", group.round, group.attempt, group.epoch);
    for (const auto& m : group.members) name += fmt::format(" {}:{}", m.at.host, m.at.port);
    return name;
}

class contributing final : public run_work {
public:
    explicit contributing(const process_options& o)
        : options_(o),
          log_(o.folder / fmt::format("member-{}.jsonl", o.number),
               [this](const std::string& line) { print(log_level::warning, line); })
    {
        auto first = first_state(std::vector<float>(o.elements));
        auto first_digest = example::digest(*first);
        adopt(std::move(first), std::move(first_digest));
    }

    const shared_state& state() const override { return state_; }
    const std::string& digest() const override { return digest_; }

    void adopt(shared_state next, std::string digest) override
    {
        state_ = std::move(next);
        digest_ = std::move(digest);
        update_ = contribution(options_.seed, options_.number, state_->round, options_.elements);
        steps_ = 0;
    }

    void step() override
    {
        std::this_thread::sleep_for(step_takes);
        ++steps_;
    }
    std::uint64_t steps_in_round() const override { return steps_; }
    std::uint64_t steps_until_round() const override { return steps_in_a_round - steps_; }
    double seconds_per_step() const override
    {
        return std::chrono::duration<double>(step_takes).count();
    }

    std::span<const float> update() override { return update_; }
    update_residuals& residuals() override { return no_residuals_; }

    wire::round_ready readiness() const override
    {
        return {state_->round, digest_, static_cast<std::uint32_t>(steps_)};
    }

    void saw_attempt(const wire::group& group, const average_result& how,
                     std::span<const float> mean) override
    {
        attempt_ended told;
        told.round = group.round;
        told.group = name_of(group);
        told.ok = how.ok;
        told.seconds = how.seconds;
        told.why = how.why;
        for (const auto& m : group.members) {
            if (m.role == wire::member_role::observer) continue;
            told.members.push_back(member_at(m.at.host));
            if (std::ranges::find(how.left, m.id, &departed_member::id) != how.left.end())
                told.without.push_back(told.members.back());
        }
        if (how.ok) {
            told.made_of = contributors_of(how.call_report, group);
            told.mean.assign(mean.begin(), mean.end());
        }
        tell_parent(std::move(told));
    }

    void record_round(const average_result*, std::size_t) override { record_state(false); }
    void record_fetch() override { record_state(true); }
    bool save(bool) override { return true; }

    void print(log_level level, const std::string& line) override
    {
        std::fprintf(stderr, "%s\n", log_line(name(level), line).c_str());
        tell_parent(doing{line});
    }
    void print_waiting(const std::string& line) override { print(log_level::info, line); }

private:
    void record_state(bool fetched)
    {
        tell_parent(state_taken{state_->round, digest_, fetched});
        log_.write({{"round", state_->round}, {"digest", digest_}, {"fetched", fetched}});
        log_.flush();  // it may be killed at any time
    }

    process_options options_;
    jsonl_log log_;
    shared_state state_;
    std::string digest_;
    std::vector<float> update_;
    update_residuals no_residuals_{0};
    std::uint64_t steps_ = 0;
};

run_member_options member_options(const process_options& o)
{
    run_member_options m;
    m.client.rendezvous = parse_endpoint(o.address);
    m.client.mesh.listen = {member_host(o.number), 0};
    m.client.mesh.run = "chaos";
    m.client.mesh.idle_timeout = idle_link_ends;
    m.client.name = fmt::format("member {}", o.number);
    m.client.parameters = o.elements;
    m.client.configuration = hash(o.seed, o.elements);
    m.client.identity = hash(o.seed, o.number) | 1;
    m.client.attempt = rendezvous_answers;
    m.codec = round_codec::none;
    m.outer = {.rate = 1, .momentum = 0};  // so that the state is the sum of all means, negative
    m.patience = patience_seconds;
    m.offers_state = o.host == host_kind::session;
    return m;
}

}  // namespace

int be_member(const process_options& o)
{
    return run_program(fmt::format("member {}", o.number).c_str(), [&]() -> int {
        log_from(o.log);
        signals asked_to_end("leaving the run after the current step or round");
        contributing work(o);
        run_member member(work, member_options(o));
        member.run(asked_to_end.token());
        const int number = asked_to_end.number();
        return number == 0 || member.over() ? exit_ok : exit_by_signal(number);
    });
}

}  // namespace papilio::example::chaos
