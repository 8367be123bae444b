#pragma once

#include <member/mesh.hpp>
#include <member/network.hpp>

#include <papilio/swarm/rendezvous_client.hpp>

#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

namespace papilio::example {

/// How a miner takes part in a run.
struct participation_options {
    tcp::endpoint rendezvous;
    tcp::endpoint announce;  ///< empty host: where it listens
    mesh_options mesh;
    std::string name;
    std::uint64_t parameters = 0;
    std::uint64_t configuration = 0;
    duration patience{};  ///< with a rendezvous that does not answer
};

/// One membership of a run, from joining to leaving, as the thread sees it that trains: each call
/// crosses to the network's thread and waits there for the answer. Calls throw
/// `std::errc::operation_canceled` once a stop is requested, `errc::refused` when the rendezvous
/// does not want this miner any more, `std::errc::resource_unavailable_try_again` when another
/// session has its name or address, and other errors when it is out of reach.
class participation {
public:
    /// Joins. Throws a `problem` that says what to change.
    participation(network& on, const participation_options& o, std::stop_token stop);
    ~participation();
    participation(const participation&) = delete;
    participation& operator=(const participation&) = delete;

    const wire::joined& joined() const noexcept { return joined_; }

    /// From now on this is what newcomers get.
    void publish(shared_state latest);

    /// This miner holds the state and trains on it.
    void holding(std::uint32_t round, const std::string& digest);

    /// The run has gone on without this miner, or does not want it any more: `await_group` says
    /// what it is. Costs nothing.
    bool has_news() const;

    /// How long others still wait for this miner; zero: nobody does.
    std::uint32_t closing_in_ms();

    void ready(wire::round_ready how);

    /// Whether `await_group` has an answer within this time.
    bool is_called_within(duration patience);
    std::variant<wire::group, wire::state_outdated> await_group();

    averaged average_in(wire::group group, round_codec codec, unsent_updates& unsent,
                        std::span<const float> in, std::span<float> out);
    wire::round_outcome done(wire::round_report how);

    /// Fetches the state after at least `round` rounds.
    state_snapshot fetch(wire::member_endpoint donor, std::uint32_t round);

    /// Goes in good order: the rendezvous is told, and what waits to be sent is sent, if that takes
    /// no more than a few seconds. Does not throw for what others do.
    void leave();

private:
    task<> join();
    task<> reach_host();
    task<> part();
    task<std::variant<wire::group, wire::state_outdated>> hear();
    void listen();

    struct relay {
        void operator()() const { to.request_stop(); }
        std::stop_source to;
    };

    network& network_;
    participation_options options_;
    std::stop_source ending_;
    std::stop_callback<relay> relay_;

    // These belong to the loop.
    std::unique_ptr<rendezvous_client> client_;
    std::unique_ptr<mesh> mesh_;

    wire::joined joined_;
    std::future<std::variant<wire::group, wire::state_outdated>> news_;
};

}  // namespace papilio::example
