#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/short_list.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/session/collective_calls.hpp>
#include <papilio/transport/tcp/endpoint.hpp>
#include <papilio/transport/tcp/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

struct communicator_options {
    tcp::options links = {};    ///< of which all peers agree on `group` and `connections`
    bool shared_memory = true;  ///< between peers whose endpoints name the same host
    duration connect_timeout = std::chrono::seconds(30);  ///< until all links are there

    /// Of a process that was started anew: the number that the others pass to `rejoin`.
    std::uint32_t number = 0;
};
static_assert(std::is_trivially_destructible_v<communicator_options>);

struct probe_options {
    int count = 16;                               ///< messages to each peer and back, for latency
    std::size_t bytes = std::size_t{1} << 20;     ///< each way, for bandwidth: 1 MiB to 1 GiB
    duration timeout = std::chrono::seconds(60);  ///< for all of it
};
static_assert(std::is_trivially_destructible_v<probe_options>);

/// The link to a peer, as this one has measured it.
struct measured_link {
    int rank = 0;
    duration latency{};                ///< half of the median time there and back
    double up_bytes_per_second = 0;    ///< to the peer
    double down_bytes_per_second = 0;  ///< from it
};

/// A peer of a group whose members are known from the start, and the thread that does its work: it
/// sends signs of life and takes in what comes early while other threads compute. Collectives block
/// the caller, or return a future where they are called on `start()`:
///
///     communicator group = communicator::from_environment();
///     group.all_reduce_in_place(gradient, mean{}, int8b{}, {.timeout = 30s});
///     std::future<report> call = group.start().all_reduce_in_place(gradient, mean{});
///
/// All members may be called from any thread, at the same time, but for moving and destroying.
/// Peers make the same calls in the same order: threads that call at the same time give each call a
/// number, `call_options::call`, or have a communicator each, by `split`.
class communicator : public collective_calls<report> {
public:
    /// Peer `i` listens at `endpoints[i]`. Returns once the links to all are there. Throws
    /// `errc::timed_out` and names a missing peer, `errc::bad_argument`, and the system's error
    /// when it cannot listen.
    communicator(int rank, std::vector<tcp::endpoint> endpoints, communicator_options o = {});

    /// Finds the others at `first`, where the peer of rank 0 listens until all have come.
    static communicator meet(int rank, int size, tcp::endpoint first, communicator_options o = {});

    /// Takes rank, size and meeting place from what torchrun, Slurm, Open MPI or MPICH have set.
    /// Throws `errc::bad_argument` and says what is missing or wrong.
    static communicator from_environment(communicator_options o = {});

    communicator(communicator&&) noexcept;
    communicator& operator=(communicator&&) noexcept;

    /// Calls under way end at once, and their futures hold `std::errc::operation_canceled`. Waits
    /// up to half a second for what others still have to be sent.
    ~communicator();

    int rank() const;
    int size() const;

    /// The same calls, each of which returns a future at once. What it borrows, lists in its
    /// options among it, is the call's until the future is ready. The future may outlive the
    /// communicator.
    collective_calls<std::future<report>> start() const;

    /// Ends the calls of this group that are under way here, or else the next one, here and at the
    /// others, who learn `reason`: they throw a `call_error` with `errc::aborted`, whose culprit is
    /// this peer. A peer that has not begun one of these fails it when it does; one that has ended
    /// it before keeps its result. No other call is hit. Calls that are given by their numbers end
    /// in place of those under way: the one that runs under a number, or else the next. At most
    /// 1,000 bytes of the reason are told.
    void abort(const std::string& reason, short_list<std::uint32_t> calls = {});

    /// The peers that are left, as a group of their own: see `shrink` in collective/shrink.hpp.
    communicator shrink(call_options options = {});

    /// All peers call it, and those who name the same colour are a group, in rank order. The groups
    /// of a process are made one after another, in the same order everywhere.
    communicator split(int colour, call_options options = {});

    /// The whole group again, with processes that were started anew in place of peers `returned`.
    /// All the others call it, with the same `number`, 1 to 1,000, higher than all before, and the
    /// new processes give it as `communicator_options::number`. Calls begin again at 1.
    communicator rejoin(short_list<int> returned, std::uint32_t number,
                        duration limit = std::chrono::seconds(30));

    /// Measures the links to all others, which call it, too; two peers at a time have a link to
    /// themselves. What it finds counts in `agree_links`.
    std::vector<measured_link> probe(probe_options o = {});

    /// What the links of all peers carry, as calls and probes have shown; the same on all, who call
    /// it, too. Nothing if no link is known.
    std::optional<link_table> agree_links(call_options options = {});

    /// What the destructor does, but waits for up to `limit`: until the others have all that was
    /// sent to them. The links last as long as any of the communicators that were made from one
    /// another.
    void close(duration limit = std::chrono::seconds(2));

private:
    explicit communicator(std::unique_ptr<detail::group_member> member) noexcept;
    detail::group_member& open() const;

    std::unique_ptr<detail::group_member> member_;
};

}  // namespace papilio
