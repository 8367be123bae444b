#include <papilio/collective/agreement/lookout.hpp>

#include <catch2/catch.hpp>

#include <functional>

namespace pa = papilio;
using pa::message_kind;
using pa::detail::ledger;
using pa::detail::lookout;
using namespace std::chrono_literals;

namespace {

constexpr lookout::facts with_heartbeats{.limit = 60s, .heartbeat = 1s};
constexpr lookout::facts without_heartbeats{.limit = 60s};
constexpr pa::time_point data_ends(2s);

/// A call of three peers, of which the first looks whenever it is to. Time begins at zero.
class watch_over {
public:
    explicit watch_over(const lookout::facts& call, std::uint32_t contributions = 0)
        : call_(call), eye_(call, {})
    {
        for (const int peer : {1, 2})
            eye_.watch({.rank = peer, .stage = 0, .contributions = contributions});
    }

    ledger& book() { return book_; }
    void vote() { voting_ = true; }
    void heard(int peer, pa::time_point when) { heard_[peer] = when; }
    pa::time_point now() const { return now_; }
    bool leaves() const { return eye_.leaves(); }

    /// Both peers send contributions and results for two seconds.
    void move_data()
    {
        look_until(data_ends, [this] {
            for (const auto before : {160ms, 80ms, 1ms}) {
                for (const int peer : {1, 2}) {
                    for (const auto kind : {message_kind::contribution, message_kind::result}) {
                        book_.expect(peer, kind);
                        book_.came(peer, kind, now_ - before);
                    }
                    book_.answered(peer);
                    book_.reduced(peer);
                }
            }
        });
    }

    /// Looks until `end`; `before` is called first each time.
    pa::rank_set look_until(
        pa::time_point end, const std::function<void()>& before = [] {})
    {
        pa::rank_set found;
        while (eye_.next() <= end) {
            now_ = eye_.next();
            before();
            found |= look();
        }
        return found;
    }

    /// Looks at a time that is not its own choice.
    pa::rank_set look_at(pa::time_point when)
    {
        now_ = when;
        return look();
    }

private:
    pa::rank_set look()
    {
        return eye_.look(now_, book_, {}, voting_, [this](int peer) { return heard_[peer]; });
    }

    lookout::facts call_;
    ledger book_{3, {}, 60s};
    lookout eye_;
    bool voting_ = false;
    pa::time_point heard_[3]{};
    pa::time_point now_{};
};

pa::time_point moment(std::chrono::milliseconds when)
{
    return pa::time_point(when);
}

/// How long it takes until peer 1 is overdue, which owes a message of a kind when the data has
/// moved.
pa::duration overdue_with(message_kind kind, lookout::facts call = without_heartbeats)
{
    watch_over w(call);
    w.move_data();
    if (kind == message_kind::vote) w.vote();
    w.book().expect(1, kind);
    for (auto end = data_ends; end < moment(59s); end += 10ms)
        if (!w.look_until(end).empty()) return w.now() - data_ends;
    return pa::duration::max();
}

}  // namespace

TEST_CASE("contributions are overdue first, then results, then votes")
{
    const auto first = overdue_with(message_kind::contribution);
    const auto second = overdue_with(message_kind::result);
    const auto third = overdue_with(message_kind::vote);
    CHECK(first > 1900ms);
    CHECK(first < 2500ms);
    CHECK(second > first + 1s);
    CHECK(third > second + 1s);
}

TEST_CASE("whoever is silent for more than two heartbeats and owes something is overdue")
{
    watch_over w(with_heartbeats);
    w.book().expect(1, message_kind::contribution);
    for (const int peer : {1, 2}) w.heard(peer, moment(300ms));
    CHECK(w.look_until(moment(2700ms)).empty());
    CHECK(w.look_until(moment(3s)) == pa::rank_set{1});
    CHECK(w.now() < moment(2900ms));
    CHECK(w.look_until(moment(20s)).empty());  // each once; and peer 2 owes nothing
}

TEST_CASE("whoever was never heard since the call began is waited for longer")
{
    watch_over w(with_heartbeats);
    w.book().expect(1, message_kind::contribution);
    CHECK(w.look_until(moment(7400ms)).empty());
    CHECK(w.look_until(moment(8s)) == pa::rank_set{1});
}

TEST_CASE("silence says nothing where there are no heartbeats")
{
    watch_over w(without_heartbeats);
    w.book().expect(1, message_kind::contribution);
    w.heard(1, moment(100ms));
    CHECK(w.look_until(moment(59s)).empty());
}

TEST_CASE("heartbeats do not help whoever owes a message")
{
    watch_over w(with_heartbeats);
    w.move_data();
    w.book().expect(1, message_kind::contribution);
    const auto beat = [&] {
        for (const int peer : {1, 2}) w.heard(peer, w.now());
    };
    CHECK(w.look_until(moment(5s), beat) == pa::rank_set{1});
}

TEST_CASE("while this peer's own data is not complete, nobody's vote is overdue")
{
    watch_over w(without_heartbeats);
    w.move_data();
    w.book().expect(1, message_kind::vote);
    CHECK(w.look_until(moment(30s)).empty());
    w.vote();
    CHECK(w.look_until(moment(35s)).empty());
    CHECK(w.look_until(moment(38s)) == pa::rank_set{1});
}

TEST_CASE("when somebody was named, whoever may wait for that one is not")
{
    watch_over w(without_heartbeats);
    w.move_data();
    w.book().expect(1, message_kind::contribution);
    w.book().expect(2, message_kind::result);
    CHECK(w.look_until(moment(59s)) == pa::rank_set{1});
}

TEST_CASE("a process that stood still misses nobody, and begins to wait anew")
{
    watch_over w(with_heartbeats);
    w.book().expect(1, message_kind::contribution);
    w.heard(1, moment(1s));
    CHECK(w.look_until(moment(2s)).empty());
    CHECK(w.look_at(moment(30s)).empty());
    CHECK(w.look_until(moment(32s)).empty());
    CHECK(w.look_until(moment(33s)) == pa::rank_set{1});
}

TEST_CASE("nobody is named who is heard between two looks")
{
    watch_over w(with_heartbeats);
    w.book().expect(1, message_kind::contribution);
    w.heard(1, moment(300ms));
    CHECK(w.look_until(moment(2800ms)).empty());
    w.heard(1, moment(2800ms));
    CHECK(w.look_until(moment(5200ms)).empty());
}

TEST_CASE("a client waits longer for votes, where reducers wait for other clients")
{
    auto client = without_heartbeats;
    client.hears_votes_last = true;
    const auto others = overdue_with(message_kind::vote);
    CHECK(overdue_with(message_kind::vote, client) > others + 1s);
}

TEST_CASE("whoever keeps back what others wait for is overdue, though it sends something else")
{
    watch_over w(without_heartbeats, 1000);
    w.move_data();
    for (const int peer : {1, 2}) {
        w.book().expect(peer, message_kind::contribution);
        w.book().expect(peer, message_kind::result);
    }
    w.book().came(2, message_kind::contribution, data_ends + 10ms);
    const auto drip = [&] {
        w.book().expect(1, message_kind::result);
        w.book().came(1, message_kind::result, w.now());
    };
    CHECK(w.look_until(moment(5900ms), drip).empty());
    CHECK(w.look_until(moment(7s), drip) == pa::rank_set{1});
    CHECK(w.look_until(moment(59s), drip).empty());  // and the other one waits for it
}

TEST_CASE("a result is not overdue while its sender may wait for a third one")
{
    for (const bool waits : {true, false}) {
        watch_over w(without_heartbeats, 1000);
        w.move_data();
        w.book().expect(2, message_kind::result);
        if (waits) w.book().came(2, message_kind::contribution, data_ends + 10ms);
        const auto drip = [&] {
            w.book().came(1, message_kind::contribution, w.now());
            w.book().reduced(1);
        };
        CHECK(w.look_until(moment(30s), drip) == (waits ? pa::rank_set{} : pa::rank_set{2}));
    }
}

TEST_CASE("when votes of most are missing the view is left without a word against any")
{
    watch_over w(without_heartbeats);
    w.move_data();
    w.vote();
    for (const int peer : {1, 2}) w.book().expect(peer, message_kind::vote);
    for (auto end = data_ends; !w.leaves() && end < moment(30s); end += 100ms)
        CHECK(w.look_until(end).empty());
    CHECK(w.leaves());
    CHECK(w.now() > moment(7s));
    CHECK(w.now() < moment(10s));
}

TEST_CASE("in a later view whoever owes is overdue while there is time for another view")
{
    auto later = without_heartbeats;
    later.later = true;
    later.limit = 16s;
    ledger book(3, {}, later.limit);
    lookout eye(later, {});
    eye.watch({.rank = 1, .stage = 0});
    book.reset();
    book.expect(1, message_kind::contribution);
    pa::rank_set late;
    pa::time_point when;
    while (late.empty() && eye.next() < moment(16s)) {
        when = eye.next();
        late = eye.look(when, book, {}, false, [](int) { return pa::time_point(); });
    }
    CHECK(late == pa::rank_set{1});
    CHECK(when > moment(1s));
    CHECK(when < moment(1500ms));
}
