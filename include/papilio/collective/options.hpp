#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/short_list.hpp>
#include <papilio/plan/role.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

class thread_pool;

/// What the caller's data holds when a call in place has failed.
enum class on_error : std::uint8_t {
    restored,   ///< what it held: that is saved before results overwrite it, and put back
    undefined,  ///< anything, as with MPI, NCCL and gloo
};

/// What becomes of a peer that is slow, while a call with `call_options::salvage` runs. One that is
/// silent, breaks the protocol or closes its link is lost in any case, and one that is late with
/// its first message is never slow: it may not have begun yet.
enum class on_straggler : std::uint8_t {
    drop_overdue,  ///< lost when its next message is missed for longer than the progress deadline
    wait,          ///< waited for, as long as the timeout allows
    drop_to_save,  ///< lost when going on without it is predicted to save more than `patience`
};

/// The numbers of a call. All peers pass the same, but for `weight`, `timeout`, `priority`,
/// `in_flight`, `on_error` and `pool`. Options come last, and may follow the data alone:
/// `all_reduce(net, in, out, {.timeout = 30s})`. Lists of up to 16 elements may be given in place,
/// as in `{.shares = {1, 2}}`; vectors, arrays and spans are borrowed until the call ends, and so
/// is what pointers point to.
struct call_options {
    /// The call returns within this time, whatever the others do. The longest duration is no limit.
    duration timeout = std::chrono::seconds(60);

    /// Which call of the group this is, 1 to 524,287. Zero takes the transport's next number: then
    /// all peers make all calls, in the same order, and a peer that misses one fails every later
    /// one. One call at a time runs under a number. How often it was begun before is part of it, so
    /// that peers may make a call that failed again under its number, all of them as often.
    std::uint32_t call = 0;

    /// Of calls at the same time, those with a higher one send first, on transports that know how.
    int priority = 0;

    /// What this peer's data counts in a weighted mean, below 2^53. With 0 the peer contributes
    /// nothing this time, whatever the operation: it sends no elements, a mean does not count it,
    /// and the report does not name it, but it reduces its part and receives the result. Calls of
    /// several stages take 0 with operations for which blocks of peers may be uneven, as with all
    /// of the library's, and fail with `errc::no_contribution` on all peers with others; so does a
    /// call in which every weight is 0. Ignored where peers contribute nothing by their role, and
    /// in all_gather, broadcast and barrier.
    double weight = 1;

    /// The call goes on without peers that are lost while it runs, as long as more than half of
    /// the group are left: the others reduce what is missing, and the report says who is in the
    /// result (docs/design/views.md). Otherwise a lost peer fails the call for everybody, as it
    /// does in a group of two in any case. All peers pass the same of this and the next four. Not
    /// in place with `on_error::undefined`, which keeps nothing to begin anew from.
    bool salvage = false;

    int min_peers = 0;  ///< with `salvage`: fewer than these do not go on

    /// With `salvage`: all of the result is of the same contributors. What was reduced before a
    /// loss is then made again, unless all of it is there. Of no effect in an all_gather.
    bool uniform = false;

    /// With `salvage`. All peers pass the same of this and the next one: whoever finds somebody too
    /// slow of whom the others do not is left out itself.
    papilio::on_straggler on_straggler = papilio::on_straggler::drop_overdue;

    /// With `drop_to_save`: how much time one unit of a peer's weight is worth. The prediction
    /// compares how fast the peer's messages come with how fast those of the call came before.
    duration patience = std::chrono::seconds(1);

    short_list<role> roles = {};       ///< by rank; empty: all are full peers
    bool auxiliaries_receive = false;  ///< the whole result, like everybody, not just their part
    short_list<double> shares = {};    ///< sizes of the parts, by rank; empty: equal

    /// Elements of each part, by rank, in reduce_scatter and all_gather; empty: nearly equal.
    short_list<std::size_t> sizes = {};

    /// The stages of the butterfly; empty: one in which everybody meets everybody, or, in an
    /// all_reduce among eight or more peers of one host, without roles and shares, those of
    /// `choose_stages`, if they round no more often than one. `{n}` is one stage in any case.
    /// Operations that are right in one stage only (`in_stages` in op/base.hpp) are refused in
    /// several.
    short_list<int> radix = {};

    std::size_t chunk_bytes = 0;  ///< of elements, in a message at most; zero: chosen by size

    /// Messages on the way to a peer, of no more than 24 MiB of elements; zero: chosen. Peers of
    /// reduce_scatter and all_gather agree.
    std::size_t in_flight = 0;

    /// In place, and in a broadcast. `undefined` spares a copy of the data and the memory for it.
    papilio::on_error on_error = papilio::on_error::restored;

    thread_pool* pool =
        nullptr;  ///< where codecs and reductions run; null: on the loop's own thread
};

// Callers pass options, ops and codecs as temporaries in an awaited call; g++ 12.2 destroys such
// temporaries twice. So they must have nothing to destroy.
static_assert(std::is_trivially_destructible_v<call_options>);

}  // namespace papilio
