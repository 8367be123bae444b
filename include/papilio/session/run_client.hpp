#pragma once

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/session/member_network.hpp>
#include <papilio/session/problem.hpp>
#include <papilio/swarm/rendezvous_client.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The run to join, and the addresses to use.
struct run_client_options {
    tcp::endpoint rendezvous;
    tcp::endpoint announce;  ///< empty host: the address it listens at
    member_network_options mesh;
    std::string name;
    std::uint64_t parameters = 0;
    std::uint64_t configuration = 0;
    std::uint64_t identity = 0;
    std::vector<wire::setting> settings;
    duration attempt = std::chrono::seconds(10);  ///< limit for the rendezvous to answer
    std::vector<std::size_t> state_sizes;         ///< lengths of the state's spans

    // What people know the programs of this run by.
    std::string member_called = "member";
    std::string host_called = "host";
};

/// One membership of a run, from joining to leaving, for use by the thread that trains: each call
/// runs on the background loop and blocks until it has finished. Calls throw
/// `std::errc::operation_canceled` once a stop is requested, and those of a `rendezvous_client`.
class run_client {
public:
    /// Joins. Throws a `problem` that says what to change. `abandon` ends what `stop` does not: an
    /// average that is under way, and the wait for its outcome.
    run_client(background_loop& on, const run_client_options& o, std::stop_token stop,
               std::stop_token abandon = {});
    ~run_client();
    run_client(const run_client&) = delete;
    run_client& operator=(const run_client&) = delete;

    const wire::joined& joined() const noexcept { return joined_; }

    /// Sets the state that this member gives to others on request, and the mean that led to it,
    /// written by `write_mean`; empty: not known.
    void publish(shared_state latest, std::vector<std::byte> mean = {});

    /// Tells the rendezvous that this member begins to fetch the state after so many rounds.
    void report_state_fetching(std::uint32_t round);

    /// Tells the rendezvous that this member holds the state and trains.
    void report_state_held(std::uint32_t round, const std::string& digest);

    /// Waits up to `limit` for the rendezvous to say whether the state that was reported is the
    /// run's; where it is not, there are news. False: it has not said so.
    bool await_state_known(duration limit);

    /// Whether it has said that it is.
    bool holds_state_of_run() const { return client_->holds_state_of_run(); }

    /// Whether the run advanced without this member, or expelled it: `await_group` returns or
    /// throws which. Does not block.
    bool has_news() const;

    /// How long the others still wait for this member; zero: they have not said so. Does not block:
    /// between steps the loop's thread would have to be waited for.
    std::uint32_t closing_in_ms() const;

    void report_round_ready(wire::round_ready how);

    /// Waits up to `limit` for `await_group` to have an answer; false: it has none yet.
    bool wait_for_group(duration limit);
    std::variant<wire::group, wire::state_outdated> await_group();

    /// See `member_network::average_in`.
    average_result average_in(wire::group group, const averaging_call& call, std::size_t count);
    wire::round_outcome report_round(wire::round_report how);

    /// Fetches the state after `round` rounds or a later one, as long as the run is not lost.
    state_snapshot fetch(wire::member_endpoint donor, std::uint32_t round);

    /// Fetches the means of the rounds after the first `round`: see `member_network::fetch_means`,
    /// as long as the run is not lost.
    std::vector<std::vector<std::byte>> fetch_means(wire::member_endpoint donor,
                                                    std::uint32_t round);

    /// Throws once the run is lost.
    void check();

    /// Leaves in good order: tells the rendezvous, stays for up to `stay` where members are behind
    /// and nobody else can give them the state, and sends queued messages for up to `limit`, five
    /// seconds at most, and half of `limit` more. Does not throw when that fails.
    void leave(duration limit = std::chrono::seconds(30), duration stay = {});

private:
    task<> join();
    task<> reach_host();
    task<average_result> averaged(wire::group group, const averaging_call& call, std::size_t count);
    task<> give_up_gone();
    task<> state_answered(duration limit);
    task<> disconnect(duration limit, duration stay);
    template <class T>
    task<T> unless_lost(task<T> fetching);
    template <class T>
    T fetched(task<T> fetching);
    void listen();

    struct forward_stop {
        void operator()() const { to.request_stop(); }
        std::stop_source to;
    };

    background_loop& background_;
    run_client_options options_;
    std::stop_source ending_;
    std::stop_callback<forward_stop> forward_;
    std::stop_token abandon_;
    std::stop_callback<forward_stop> forward_abandon_;

    // These belong to the background loop.
    std::unique_ptr<rendezvous_client> client_;
    std::unique_ptr<member_network> network_;

    wire::joined joined_;
    std::future<std::variant<wire::group, wire::state_outdated>> news_;
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/session/impl/run_client.hpp>
#endif
