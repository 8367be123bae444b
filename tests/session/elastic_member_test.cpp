#include <papilio/session/elastic_member.hpp>

#include <papilio/session/mean_bytes.hpp>
#include <papilio/session/round_work.hpp>
#include <papilio/session/run_client.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pa = papilio;

namespace {

/// The state is the sum of all means.
class summing final : public pa::round_work {
public:
    const pa::shared_state& state() const override { return state_; }
    const std::string& digest() const override { return digest_; }
    void adopt(pa::shared_state next, std::string digest) override
    {
        state_ = std::move(next);
        digest_ = std::move(digest);
    }
    std::string digest_of(const pa::state_snapshot& s) const override
    {
        return std::to_string(s.round);
    }
    std::shared_ptr<pa::state_snapshot> next_state(const pa::state_snapshot& from) override
    {
        auto next = std::make_shared<pa::state_snapshot>(from);
        ++next->round;
        return next;
    }
    std::span<float> place_for_mean(pa::state_snapshot&) override { return mean_; }
    void advance(const pa::state_snapshot& from, pa::state_snapshot& next) override
    {
        for (std::size_t i = 0; i < mean_.size(); ++i)
            next.spans[0][i] = from.spans[0][i] + mean_[i];
    }
    pa::task<pa::report> average(pa::any_transport, std::span<float>, pa::call_options) override
    {
        co_return pa::report{};
    }
    pa::wire::round_ready readiness() const override { return {state_->round, digest_}; }
    void record_round(const pa::average_result*, std::size_t) override {}
    void record_fetch() override {}
    void print(pa::log_level, const std::string&) override {}
    void print_waiting(const std::string&) override {}

private:
    std::vector<float> mean_ = std::vector<float>(3);
    pa::shared_state state_ =
        std::make_shared<pa::state_snapshot>(pa::state_snapshot{2, {{10, 20, 30}}});
    std::string digest_ = "2";
};

}  // namespace

TEST_CASE("means that a member has missed lead it to the run's state", "[session]")
{
    summing work;
    const std::vector<float> first{1, 2, 3}, second{0, -2, 4};
    const std::vector<std::size_t> begins{0};
    const auto after = pa::replayed(
        work, work.state(), {pa::write_mean(first, begins), pa::write_mean(second, begins)});
    CHECK(after->round == 4);
    CHECK(after->spans[0] == std::vector<float>{11, 20, 37});
    CHECK(work.state()->round == 2);
    CHECK(pa::test::thrown_by([&] { pa::replayed(work, work.state(), {{}}); }) ==
          pa::errc::bad_message);
}

TEST_CASE("a member that is in no run leaves it at once, and knows of nothing", "[session]")
{
    summing work;
    pa::elastic_member member(work, {});
    member.leave();
    CHECK(member.id() == 0);
    CHECK_FALSE(member.has_news());
    CHECK_FALSE(member.over());
    std::stop_source stopped;
    stopped.request_stop();
    CHECK_FALSE(member.join(stopped.get_token()));
}
