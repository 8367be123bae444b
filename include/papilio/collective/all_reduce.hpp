#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/direct.hpp>
#include <papilio/collective/detail/exchange.hpp>
#include <papilio/collective/detail/round.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/sum.hpp>

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <vector>

namespace papilio {

namespace detail {

/// A range of elements that outlives the call: an lvalue, or a borrowed range such as a span.
template <class R>
concept elements = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::ranges::borrowed_range<R> && element<std::ranges::range_value_t<R>>;

template <class R>
concept writable_elements =
    elements<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// Checks what the caller says about the group and works out who owns what. Throws
/// `errc::bad_argument`.
template <class Codec>
direct_plan plan_direct(int peers, std::size_t count, std::size_t element_size, const Codec& codec,
                        const call_options& o);

}  // namespace detail

/// Combines the data of all peers of `net` and gives every one of them the same result, bit for
/// bit: `out[i]` becomes `op` over the `in[i]` of all contributors, in rank order.
///
/// `op` says how versions become one (`sum`, `mean`, `weighted_mean`, `min`, `max`, `prod`),
/// `codec` how elements travel. `in` and `out` are as long on every peer, do not overlap, and
/// outlive the task; `in` may be empty where the peer's role is to contribute nothing.
///
/// The method is a reduce-scatter and an all-gather that overlap, chunk by chunk: each peer sends
/// and receives about 2 (n - 1) / n times the data, and a lossy codec rounds twice whatever n is.
/// Little data goes from everybody to everybody, which spares a latency and gives the same bits.
/// It ends with a vote; unless every peer holds the whole result, the call fails on every peer
/// that learns of it, by a `round_error` that names the culprit. Then `in` is untouched, and `out`
/// unspecified.
template <transport Net, detail::elements In, detail::writable_elements Out, class Op = sum,
          class Codec = identity>
task<report> all_reduce(Net& net, In&& in, Out&& out, Op op = {}, Codec codec = {},
                        call_options options = {});

/// The same with the result in place of the data. On an error `data` is untouched: the result is
/// built elsewhere, which takes as much memory again, and copied at the end.
template <transport Net, detail::writable_elements Data, class Op = sum, class Codec = identity>
requires(!std::ranges::range<Op>) task<report> all_reduce(Net& net, Data&& data, Op op = {},
                                                          Codec codec = {},
                                                          call_options options = {});

namespace detail {

// The engine sees transports without their types, so that it is compiled once for each kind of
// element, operation and codec, whatever the transports: a virtual call per message costs nothing.

/// Whether everybody sends everybody everything: where a latency costs more than the bytes. Whoever
/// asks for chunks of a size gets them.
inline bool little(const direct_plan& plan, std::size_t total, const call_options& o)
{
    constexpr std::size_t most = 16 << 10;  // sent by a peer: a fraction of a millisecond
    const auto n = plan.roles.size();
    const bool all_full = std::ranges::count(plan.roles, role::full) == std::ssize(plan.roles);
    return all_full && n > 1 && total > 0 && total * (n - 1) <= most && o.chunk_bytes == 0;
}

/// Without numbers of its own a transport could not tell one call's messages from the next one's.
inline std::uint32_t round_number(any_transport& net, const call_options& o)
{
    if (o.round != 0) return o.round;
    const auto next = net.next_round();
    if (next == 0)
        throw std::system_error(errc::bad_argument,
                                "this transport does not number rounds: give call_options::round, "
                                "another for each call");
    return (next - 1) % max_call + 1;
}

template <element T, class Op, class Codec>
task<report> all_reduce_spans(any_transport net, std::span<const T> in, std::span<T> out, Op op,
                              Codec codec, call_options options)
{
    loop& on = co_await this_loop{};
    const auto plan = plan_direct(net.size(), out.size(), sizeof(T), codec, options);
    const bool contributor = contributes(plan.roles[static_cast<std::size_t>(net.rank())]);
    if (in.size() != out.size() && (contributor || !in.empty()))
        throw std::system_error(errc::bad_argument, "all_reduce: in and out differ in length");
    if (!in.empty() && std::less{}(in.data(), out.data() + out.size()) &&
        std::less{}(out.data(), in.data() + in.size()))
        throw std::system_error(errc::bad_argument,
                                "all_reduce: in and out overlap; pass one of them for in place");

    const wire::descriptor call{
        .round = round_number(net, options),
        .peers = static_cast<std::uint16_t>(net.size()),
        .element = element_type_of<T>,
        .op = static_cast<std::uint8_t>(Op::id),
        .codec = static_cast<std::uint8_t>(Codec::id),
        .count = out.size(),
        .chunk = plan.chunk,
        .layout = plan.layout,
        .weight = options.weight,
    };
    round r(net, call, plan.roles, on.now(), options.timeout);
    if (little(plan, out.size_bytes(), options)) {
        exchange<T, Op, Codec> mover(r, plan, in, out, op, codec);
        task<report> voted = r.run(mover.move());
        co_return co_await voted;
    }
    direct<T, Op, Codec> mover(r, plan, in, out, op, codec, options.pool);
    task<report> voted = r.run(mover.move(), mover.serve_observers());
    co_return co_await voted;
}

template <element T, class Op, class Codec>
task<report> all_reduce_in_place(any_transport net, std::span<T> data, Op op, Codec codec,
                                 call_options options)
{
    const auto shadow = std::make_unique_for_overwrite<T[]>(data.size());
    const std::span<T> result(shadow.get(), data.size());
    auto done = co_await all_reduce_spans<T>(net, data, result, op, codec, options);
    std::ranges::copy(result, data.begin());
    co_return done;
}

/// What must hold of an operation and a codec, said where the user calls.
template <class T, class Op, class Codec>
constexpr void check_kinds()
{
    static_assert(operation<Op, T>,
                  "not an operation on these elements: see op/base.hpp for what one must have");
    static_assert(Codec::lossless || floating_element<T>,
                  "a lossy codec takes floating-point elements only: send integers by identity{}");
    static_assert(codec<Codec, std::conditional_t<Codec::lossless, T, accumulator_t<T>>>,
                  "not a codec for these elements: see codec/base.hpp for what one must have");
}

inline void check_group(int peers, std::size_t count, const call_options& o)
{
    const auto refuse = [](const char* why) { throw std::system_error(errc::bad_argument, why); };
    const auto n = static_cast<std::size_t>(peers);
    if (peers < 1 || peers > 65'535) refuse("a group has 1 to 65,535 peers");
    if (!o.roles.empty() && o.roles.size() != n) refuse("call_options::roles names every peer");
    if (!o.shares.empty() && o.shares.size() != n) refuse("call_options::shares names every peer");
    if (!(o.weight > 0) || !(o.weight < 0x1p53)) refuse("a weight lies above 0 and below 2^53");
    if (o.round > max_call) refuse("a round's number is at most 524,287");
    if (o.timeout <= duration{}) refuse("a timeout is longer than nothing");
    const auto any = [&](auto has) { return o.roles.empty() || std::ranges::any_of(o.roles, has); };
    if (!any(contributes)) refuse("nobody contributes");
    if (!any(reduces) && (count > 0 || n > 1))
        refuse("nobody reduces: clients need full or auxiliary peers");
}

inline std::vector<double> shares_of(std::span<const role> roles, std::span<const double> wanted)
{
    std::vector<double> shares(wanted.begin(), wanted.end());
    shares.resize(roles.size(), 1.0);
    for (std::size_t rank = 0; rank < roles.size(); ++rank)
        if (!reduces(roles[rank])) shares[rank] = 0;
    return shares;
}

/// 256 KiB stays in a core's cache while it is encoded or reduced; small parts are cut finer, so
/// that one chunk can travel while the next is prepared.
inline std::size_t default_chunk_bytes(std::size_t total, std::size_t peers)
{
    return std::clamp<std::size_t>(total / (8 * peers), 16 << 10, 256 << 10);
}

/// Enough to fill a long link. Contributions that wait for their chunk's last one take up to this
/// much memory per peer: all together a fifth of the data, or 12 MiB if that is more.
inline std::size_t default_lanes(std::size_t total, std::size_t peers, std::size_t chunk_bytes)
{
    const auto together = std::max<std::size_t>(total / 5, std::size_t{12} << 20);
    const auto window = std::min<std::size_t>(together / peers, std::size_t{4} << 20);
    return std::clamp<std::size_t>(window / chunk_bytes, 2, 256);
}

/// `lanes` on average, in proportion to the parts, so that all conversations end at the same time:
/// a link shared by one about a large part and one about a small part would else carry both equally
/// fast, and then the large one alone. At most twice as many for one owner, for its memory's sake.
inline std::vector<std::size_t> lanes_by_owner(const direct_plan& plan, std::size_t lanes)
{
    std::vector<std::size_t> chunks;
    std::size_t all = 0, owners = 0;
    for (const auto& p : plan.parts) {
        chunks.push_back(chunk_count(p, plan.chunk));
        all += chunks.back();
        if (chunks.back() > 0) ++owners;
    }
    for (auto& c : chunks) {
        if (c == 0) continue;
        const auto fair = (lanes * owners * c + all / 2) / all;
        c = std::clamp<std::size_t>(fair, 1, std::min(c, 2 * lanes));
    }
    return chunks;
}

template <class Codec>
direct_plan plan_direct(int peers, std::size_t count, std::size_t element_size, const Codec& codec,
                        const call_options& o)
{
    check_group(peers, count, o);
    const auto n = static_cast<std::size_t>(peers);
    direct_plan plan;
    plan.roles.assign(o.roles.begin(), o.roles.end());
    plan.roles.resize(n, role::full);
    const auto shares = shares_of(plan.roles, o.shares);
    plan.parts = count > 0 ? partition(count, shares) : std::vector<part>(n, part{0, 0});

    const auto total = count * element_size;
    const auto chunk_bytes = o.chunk_bytes != 0 ? o.chunk_bytes : default_chunk_bytes(total, n);
    plan.chunk = chunk_size(chunk_bytes / element_size, common_granule<Codec>);
    for (const auto& p : plan.parts)
        if (chunk_count(p, plan.chunk) > max_tag_index)
            throw std::system_error(errc::bad_argument, "too many chunks: raise chunk_bytes");
    const auto lanes = o.in_flight != 0 ? o.in_flight : default_lanes(total, n, chunk_bytes);
    plan.lanes = lanes_by_owner(plan, lanes);
    for (std::size_t rank = 0; rank < n; ++rank)
        plan.layout = hash(plan.layout, static_cast<std::uint8_t>(plan.roles[rank]),
                           plan.parts[rank].begin, plan.parts[rank].size);
    const auto back = codec_back(codec);
    plan.layout = hash(plan.layout, codec_parameters(codec), static_cast<std::uint8_t>(back.id),
                       codec_parameters(back));
    return plan;
}

}  // namespace detail

template <transport Net, detail::elements In, detail::writable_elements Out, class Op, class Codec>
task<report> all_reduce(Net& net, In&& in, Out&& out, Op op, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Out>;
    static_assert(std::same_as<std::ranges::range_value_t<In>, T>,
                  "in and out hold elements of different types");
    detail::check_kinds<T, Op, Codec>();
    return detail::all_reduce_spans<T, Op, Codec>(
        any_transport(net), {std::ranges::data(in), std::ranges::size(in)},
        {std::ranges::data(out), std::ranges::size(out)}, op, codec, options);
}

template <transport Net, detail::writable_elements Data, class Op, class Codec>
requires(!std::ranges::range<Op>) task<report> all_reduce(Net& net, Data&& data, Op op, Codec codec,
                                                          call_options options)
{
    using T = std::ranges::range_value_t<Data>;
    detail::check_kinds<T, Op, Codec>();
    return detail::all_reduce_in_place<T, Op, Codec>(
        any_transport(net), {std::ranges::data(data), std::ranges::size(data)}, op, codec, options);
}

}  // namespace papilio
