#include <papilio/transport/detail/send_window.hpp>

#include <papilio/base/error.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pa = papilio;
using pa::detail::send_window;
using pa::wire::early_cost;
using pa::wire::flow_kind;

namespace {

/// What a window has had sent: messages by their names, and frames.
struct outgoing_log {
    std::vector<std::string> sent;
    std::vector<pa::wire::flow> told;

    std::string all() const
    {
        std::string text;
        for (const auto& s : sent) text += s + " ";
        return text;
    }
    int count(flow_kind kind) const
    {
        int n = 0;
        for (const auto& f : told) n += f.kind == kind;
        return n;
    }
};

class message final : public send_window::message {
public:
    message(send_window& w, outgoing_log& log, std::string name, std::uint64_t t, std::size_t size)
        : send_window::message(pa::tag{t}, size), window_(w), log_(log), name_(std::move(name))
    {
        if (window_.admits(*this)) permitted();
    }
    ~message() { window_.forget(*this); }  // as if nothing of it had left

    std::error_code why;
    bool over = false;

private:
    void tell(const pa::wire::flow& f) override { log_.told.push_back(f); }
    void permitted() override { log_.sent.push_back(name_); }
    void ended(std::error_code error) override
    {
        why = error;
        over = true;
    }

    send_window& window_;
    outgoing_log& log_;
    std::string name_;
};

}  // namespace

TEST_CASE("messages within the window are sent at once, and what exceeds it is announced")
{
    outgoing_log log;
    send_window window(early_cost(100) + early_cost(200));
    message a(window, log, "a", 1, 100), b(window, log, "b", 2, 200), c(window, log, "c", 3, 0);
    CHECK(log.all() == "a b ");
    CHECK(c.waits());
    REQUIRE(log.told.size() == 1);
    CHECK(log.told[0] ==
          pa::wire::flow{.kind = flow_kind::announce, .size = 0, .number = 1, .subject = 3});
    window.grant(1);
    CHECK(log.all() == "a b c ");
    CHECK(!c.waits());
}

TEST_CASE("behind a message that waits all of its tag wait, and others do not")
{
    outgoing_log log;
    send_window window(early_cost(100));
    message a(window, log, "a", 1, 1000), b(window, log, "b", 1, 0), c(window, log, "c", 2, 0);
    CHECK(log.all() == "c ");
    window.grant(1);
    message d(window, log, "d", 1, 0);
    CHECK(log.all() == "c a ");
    window.grant(2);
    window.grant(3);
    message e(window, log, "e", 1, 0);
    CHECK(log.all() == "c a b d ");  // the window is used up
    CHECK(e.waits());
}

TEST_CASE("when the window moves on, what fits goes, in order, and without a word")
{
    outgoing_log log;
    send_window window(0);
    message a(window, log, "a", 1, 1000), b(window, log, "b", 1, 10), c(window, log, "c", 2, 10),
        d(window, log, "d", 3, 10);
    window.raise(early_cost(10));
    CHECK(log.all() == "c ");  // a does not fit, and b is behind it
    window.raise(early_cost(10) + early_cost(1000) + 2 * early_cost(10));
    CHECK(log.all() == "c a b d ");
    window.raise(0);              // it never moves back
    CHECK(log.told.size() == 4);  // the announcements
}

TEST_CASE("small messages go while the rest of the window is too little for large ones")
{
    outgoing_log log;
    send_window window(pa::wire::first_window);
    message a(window, log, "a", 1, 40'000), b(window, log, "b", 2, 5000),
        c(window, log, "c", 3, 40);
    CHECK(log.all() == "a c ");
}

TEST_CASE("an answer about a message that does not wait any more is of no effect")
{
    outgoing_log log;
    send_window window(0);
    message a(window, log, "a", 1, 10);
    window.raise(early_cost(10));
    window.grant(1);
    window.decline(1);
    window.grant(77);
    CHECK(log.all() == "a ");
    CHECK(!a.over);
}

TEST_CASE("a message that is not sent after all gives back what it would have cost")
{
    outgoing_log log;
    send_window window(early_cost(10));
    {
        message a(window, log, "a", 1, 10);
    }
    message b(window, log, "b", 1, 10);
    CHECK(log.all() == "a b ");
    CHECK(log.told.empty());
}

TEST_CASE("an announced message that is not sent after all is withdrawn, granted or not")
{
    outgoing_log log;
    send_window window(0);
    {
        message a(window, log, "a", 1, 10), b(window, log, "b", 2, 10);
        window.grant(1);
    }
    CHECK(log.count(flow_kind::withdraw) == 2);
    CHECK(log.told.back() ==
          pa::wire::flow{.kind = flow_kind::withdraw, .number = 1, .subject = 1});
}

TEST_CASE("what went early and was asked for before it came has cost nothing")
{
    outgoing_log log;
    send_window window(0);
    message a(window, log, "a", 1, 10), b(window, log, "b", 2, 10), c(window, log, "c", 3, 10);
    window.raise(2 * early_cost(10));
    CHECK(log.all() == "a b ");
    window.decline(1);  // the receiver has seen it come early
    window.grant(2);
    window.grant(2);
    message d(window, log, "d", 4, 10), e(window, log, "e", 5, 10);
    CHECK(log.all() == "a b d ");
}

TEST_CASE("a message gives back what it cost once, whether it is answered before or afterwards")
{
    const int answer = GENERATE(0, 1, 2, 3);
    outgoing_log log;
    send_window window(0);
    {
        message a(window, log, "a", 1, 10);
        window.raise(early_cost(10));
        CHECK(log.all() == "a ");
        if (answer == 0) window.grant(1);
        if (answer == 1) window.decline(1);
    }
    CHECK(log.told.back().kind == flow_kind::withdraw);
    if (answer == 2) window.grant(1);
    if (answer == 3) window.decline(1);
    message b(window, log, "b", 2, 10), c(window, log, "c", 3, 10);
    CHECK(log.all() == "a b ");
}

TEST_CASE("a message that its receiver would discard ends, and is not sent")
{
    outgoing_log log;
    send_window window(0);
    message a(window, log, "a", 1, 10);
    window.decline(1);
    CHECK(a.over);
    CHECK(!a.why);
    CHECK(log.sent.empty());
    CHECK(log.told.back() ==
          pa::wire::flow{.kind = flow_kind::withdraw, .number = 1, .subject = 1});
}

TEST_CASE("with the link all that wait end, and nothing is sent afterwards")
{
    outgoing_log log;
    send_window window(0);
    message a(window, log, "a", 1, 10), b(window, log, "b", 2, 10);
    window.fail(pa::errc::disconnected);
    CHECK(a.why == pa::errc::disconnected);
    CHECK(b.why == pa::errc::disconnected);
    CHECK_THROWS_MATCHES(message(window, log, "c", 1, 10), std::system_error,
                         Catch::Predicate<std::system_error>(
                             [](const auto& e) { return e.code() == pa::errc::disconnected; }));
    CHECK(window.error() == pa::errc::disconnected);
    CHECK(log.count(flow_kind::withdraw) == 0);
}

TEST_CASE("no more is announced at a time than a receiver takes note of")
{
    outgoing_log log;
    send_window window(0);
    std::vector<std::unique_ptr<message>> many;
    for (std::uint64_t i = 1; i <= pa::wire::max_announced + 2; ++i)
        many.push_back(std::make_unique<message>(window, log, "m", i, 0));
    CHECK(log.told.size() == pa::wire::max_announced);
    window.grant(1);
    CHECK(log.told.back().number == pa::wire::max_announced + 1);
    many.back().reset();  // it was never announced
    many[1].reset();      // which the receiver does not know yet
    CHECK(log.count(flow_kind::withdraw) == 1);
    message last(window, log, "last", 1, 0);
    CHECK(log.count(flow_kind::announce) == static_cast<int>(pa::wire::max_announced) + 1);
    window.decline(2);
    CHECK(log.count(flow_kind::announce) == static_cast<int>(pa::wire::max_announced) + 2);
}

TEST_CASE("the frames that are the link's own are no messages, and never wait")
{
    outgoing_log log;
    send_window window(0);
    message last(window, log, "shutdown", static_cast<std::uint64_t>(pa::wire::shutdown), 0);
    CHECK(log.all() == "shutdown ");
}
