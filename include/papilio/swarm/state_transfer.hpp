#pragma once

#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/bulk.hpp>
#include <papilio/transport/request.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/fields.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio {

/// The state of a run after `round` rounds: what a newcomer needs, such as the parameters and the
/// outer optimiser's momentum. Never changed once others may read it: the next round makes another.
struct state_snapshot {
    std::uint32_t round = 0;
    std::vector<std::vector<float>> spans;
};

using shared_state = std::shared_ptr<const state_snapshot>;

/// How far a transfer is, for people.
struct transfer_progress {
    std::uint64_t done = 0;  ///< bytes
    std::uint64_t total = 0;
};

struct state_options {
    std::uint32_t at_least = 0;                    ///< rounds: an older state is of no use
    std::size_t window = std::size_t{4} << 20;     ///< bytes under way
    duration patience = std::chrono::seconds(20);  ///< without any progress
    duration deadline = std::chrono::minutes(30);  ///< for each donor
    transfer_progress* progress = nullptr;         ///< borrowed until the call ends
};
static_assert(std::is_trivially_destructible_v<state_options>);

struct donor_options {
    duration patience = std::chrono::seconds(20);  ///< without any progress
    duration deadline = std::chrono::minutes(30);
};
static_assert(std::is_trivially_destructible_v<donor_options>);

/// Gives `peer` the state whenever it asks, until the link to it is gone. What `latest` points to
/// when a request comes is what that request gets, from beginning to end, though `latest` may point
/// elsewhere meanwhile; null means that there is nothing to give yet. A new request takes the place
/// of one that is being answered. `latest` must outlive the task. Throws `errc::bad_message` when
/// the peer asks nonsense.
template <transport Net>
task<> serve_state(Net& net, int peer, const shared_state& latest, donor_options o = {});

/// Fetches the state from `donor`, which runs `serve_state`. `sizes` are the lengths of the spans
/// that this peer expects: memory is allocated by them alone. Chunks are checked as they come and
/// the whole is checked at the end, by checksums that find damage, not deceit: compare the digest
/// of the result with the one that the run agreed on. Throws `errc::mismatch` when the donor has
/// something else or bytes were damaged, `errc::refused` when it has nothing to give,
/// `errc::timed_out`, and what the link ended with.
template <transport Net>
task<state_snapshot> fetch_state(Net& net, int donor, std::vector<std::size_t> sizes,
                                 state_options o = {});

/// The same from the first of `donors` that can give it. Throws the last one's failure, with a
/// sentence that names all of them.
template <transport Net>
task<state_snapshot> fetch_state(Net& net, std::vector<int> donors, std::vector<std::size_t> sizes,
                                 state_options o = {});

}  // namespace papilio

namespace papilio::detail {

inline constexpr std::size_t state_chunk = std::size_t{64} << 10;  // elements
inline constexpr std::size_t max_state_spans = 64;                 // few: they are searched in turn

/// Which elements chunk `i` holds: chunks do not cross spans.
struct state_plan {
    explicit state_plan(const std::vector<std::size_t>& s) : sizes(s)
    {
        for (const auto size : sizes) chunks += (size + state_chunk - 1) / state_chunk;
    }

    struct place {
        std::size_t span = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    place at(std::size_t i) const noexcept
    {
        place p;
        for (; p.span < sizes.size(); ++p.span) {
            const auto here = (sizes[p.span] + state_chunk - 1) / state_chunk;
            if (i < here) break;
            i -= here;
        }
        p.begin = i * state_chunk;
        p.size = std::min(state_chunk, sizes[p.span] - p.begin);
        return p;
    }

    bulk plan(std::uint32_t request, std::size_t window) const noexcept
    {
        const auto lanes = std::clamp<std::size_t>(window / (state_chunk * sizeof(float)), 1, 256);
        return {control_service::state, request, chunks, 0, lanes};
    }

    std::vector<std::size_t> sizes;
    std::size_t chunks = 0;
};

/// Little-endian: u32 magic, u32 request, u32 at least so many rounds, u32 lanes.
struct state_request {
    std::uint32_t request = 0;
    std::uint32_t at_least = 0;
    std::uint32_t lanes = 1;

    static constexpr std::size_t encoded_size = 16;
    static constexpr std::uint32_t magic = 0x53504150;  // "PAPS"
};

inline std::array<std::byte, state_request::encoded_size> encode(const state_request& r) noexcept
{
    std::array<std::byte, state_request::encoded_size> to;
    store(to.data(), state_request::magic);
    store(to.data() + 4, r.request);
    store(to.data() + 8, r.at_least);
    store(to.data() + 12, r.lanes);
    return to;
}

inline state_request parse_state_request(bytes from)
{
    if (from.size() != state_request::encoded_size ||
        load<std::uint32_t>(from.data()) != state_request::magic)
        throw std::system_error(errc::bad_message, "not a request for the state");
    const state_request r{load<std::uint32_t>(from.data() + 4),
                          load<std::uint32_t>(from.data() + 8),
                          load<std::uint32_t>(from.data() + 12)};
    if (!is_request_number(r.request) || r.lanes < 1 || r.lanes > 256)
        throw std::system_error(errc::bad_message, "a request for the state out of range");
    return r;
}

/// u32 round, u8 has, u8 spans, u64 size of each.
struct state_offer {
    std::uint32_t round = 0;
    bool has = false;
    std::vector<std::size_t> sizes;
    static constexpr std::size_t max_size = 6 + 8 * max_state_spans;
};

inline std::vector<std::byte> encode(const state_offer& offer)
{
    wire::detail::field_writer to;
    to.put(offer.round);
    to.put(static_cast<std::uint8_t>(offer.has));
    to.put(static_cast<std::uint8_t>(offer.sizes.size()));
    for (const auto size : offer.sizes) to.put(std::uint64_t{size});
    return to.take();
}

inline state_offer parse_state_offer(bytes from)
{
    wire::detail::field_reader fields(from);
    state_offer offer;
    offer.round = fields.get<std::uint32_t>();
    offer.has = fields.get_bool();
    const auto spans = fields.get<std::uint8_t>();
    if (spans > max_state_spans) throw std::system_error(errc::bad_message, "too many spans");
    for (std::size_t i = 0; i < spans; ++i) offer.sizes.push_back(fields.get<std::uint64_t>());
    fields.expect_end();
    return offer;
}

/// One number for the whole: the chunks' checksums in order, whatever order they came in.
class state_digest {
public:
    explicit state_digest(std::size_t chunks) : sums_(chunks) {}
    void note(std::size_t chunk, std::uint64_t sum) { sums_[chunk] = sum; }
    std::uint64_t value(std::uint32_t round) const
    {
        std::uint64_t all = hash(round, sums_.size());
        for (const auto sum : sums_) all = hash(all, sum);
        return all;
    }

private:
    std::vector<std::uint64_t> sums_;
};

struct state_source {
    state_source(const state_snapshot& s, const state_plan& p) : state(s), plan(p), sums(p.chunks)
    {
    }
    bytes chunk(std::size_t i, mutable_bytes) const
    {
        const auto p = plan.at(i);
        return std::as_bytes(std::span(state.spans[p.span]).subspan(p.begin, p.size));
    }
    void arrived(std::size_t i, std::uint64_t sum, time_point) { sums.note(i, sum); }

    const state_snapshot& state;
    const state_plan& plan;
    state_digest sums;
};

struct state_sink {
    state_sink(state_snapshot& s, const state_plan& p, transfer_progress* g)
        : state(s), plan(p), sums(p.chunks), progress(g)
    {
    }
    mutable_bytes room(std::size_t i, mutable_bytes) const
    {
        const auto p = plan.at(i);
        return std::as_writable_bytes(std::span(state.spans[p.span]).subspan(p.begin, p.size));
    }
    void arrived(std::size_t i, bytes chunk, std::uint64_t sum, time_point)
    {
        sums.note(i, sum);
        if (progress) progress->done += chunk.size();
    }

    state_snapshot& state;
    const state_plan& plan;
    state_digest sums;
    transfer_progress* progress;
};

inline std::string differing(const std::vector<std::size_t>& here,
                             const std::vector<std::size_t>& there)
{
    if (here.size() != there.size())
        return "the donor's state has " + std::to_string(there.size()) + " parts, ours " +
               std::to_string(here.size());
    for (std::size_t i = 0; i < here.size(); ++i)
        if (here[i] != there[i])
            return "part " + std::to_string(i) + " of the donor's state has " +
                   std::to_string(there[i]) + " elements, ours " + std::to_string(here[i]);
    return {};
}

/// Index 0 of a request is the offer, 1 its acceptance, 2 the digest of the whole.
template <transport Net>
task<> give_state(Net& net, int peer, state_request r, shared_state state, bulk_watch& watch)
{
    const auto name = [&](std::uint32_t i) {
        return control_tag(control_service::state, r.request, i);
    };
    state_offer offer;
    offer.has = state && state->round >= r.at_least;
    if (state) offer.round = state->round;
    if (offer.has)
        for (const auto& span : state->spans) offer.sizes.push_back(span.size());
    const state_plan plan(offer.sizes);
    PAPILIO_CHECK(offer.sizes.size() <= max_state_spans && plan.chunks <= bulk::max_chunks,
                  "a state has at most 64 spans and 2^36 elements");
    const auto message = encode(offer);
    co_await net.send(peer, name(0), message);
    if (!offer.has) co_return;

    std::array<std::byte, 1> accepted{};
    const auto size = co_await net.recv(peer, name(1), accepted);
    if (size != 1 || accepted[0] != std::byte{1}) co_return;
    state_source source(*state, plan);
    auto b = plan.plan(r.request, 0);
    b.window = r.lanes;
    co_await send_bulk<Net>(net, peer, b, source, watch);
    std::array<std::byte, 8> digest;
    store(digest.data(), source.sums.value(offer.round));
    co_await net.send(peer, name(2), digest);
}

template <transport Net>
task<> take_state(Net& net, int donor, state_request r, const state_plan& plan,
                  state_snapshot& into, transfer_progress* progress, bulk_watch& watch)
{
    const auto name = [&](std::uint32_t i) {
        return control_tag(control_service::state, r.request, i);
    };
    const auto request = encode(r);
    co_await net.send(donor, control_door(control_service::state), request);
    std::array<std::byte, state_offer::max_size> room{};
    const auto size = co_await net.recv(donor, name(0), room);
    const auto offer = parse_state_offer(bytes(room).first(size));
    if (!offer.has)
        throw std::system_error(errc::refused, "the donor does not have the state of round " +
                                                   std::to_string(r.at_least));
    const auto unlike = differing(plan.sizes, offer.sizes);
    const bool fits = unlike.empty() && offer.round >= r.at_least;
    const std::array<std::byte, 1> answer{std::byte{fits}};
    co_await net.send(donor, name(1), answer);
    if (!fits) throw std::system_error(errc::mismatch, unlike);

    for (const auto elements : plan.sizes) into.spans.emplace_back(elements);
    into.round = offer.round;
    state_sink sink(into, plan, progress);
    auto b = plan.plan(r.request, 0);
    b.window = r.lanes;
    co_await receive_bulk<Net>(net, donor, b, sink, watch);
    std::array<std::byte, 8> digest{};
    const auto digest_size = co_await net.recv(donor, name(2), digest);
    if (digest_size != digest.size() ||
        load<std::uint64_t>(digest.data()) != sink.sums.value(offer.round))
        throw std::system_error(errc::mismatch, "the state was damaged on its way");
}

}  // namespace papilio::detail

namespace papilio {

template <transport Net>
task<> serve_state(Net& net, int peer, const shared_state& latest, donor_options o)
{
    const auto answer = [&](detail::state_request r, detail::bulk_watch& watch) {
        return detail::give_state<Net>(net, peer, r, latest, watch);
    };
    task<> served =
        detail::serve_requests(net, peer, control_service::state, detail::parse_state_request,
                               answer, o.patience, o.deadline);
    co_await std::move(served);
}

template <transport Net>
task<state_snapshot> fetch_state(Net& net, int donor, std::vector<std::size_t> sizes,
                                 state_options o)
{
    loop& on = co_await this_loop{};
    const detail::state_plan plan(sizes);
    if (sizes.size() > detail::max_state_spans || plan.chunks > detail::bulk::max_chunks)
        throw std::system_error(errc::bad_argument, "a state has at most 64 parts");
    const auto now = on.now().time_since_epoch().count();
    const auto request = detail::request_number(now, donor, control_service::state);
    const auto lanes = plan.plan(request, o.window).window;
    const detail::state_request r{request, o.at_least, static_cast<std::uint32_t>(lanes)};
    if (o.progress) {
        *o.progress = {};
        for (const auto size : sizes) o.progress->total += size * sizeof(float);
    }
    state_snapshot fetched;
    detail::request_scope<Net> scope(net, control_service::state, request);
    detail::bulk_watch watch;
    task<> work = detail::take_state<Net>(net, donor, r, plan, fetched, o.progress, watch);
    co_await detail::watched(std::move(work), watch, o.patience, on.now() + o.deadline);
    scope.succeed();
    co_return fetched;
}

template <transport Net>
task<state_snapshot> fetch_state(Net& net, std::vector<int> donors, std::vector<std::size_t> sizes,
                                 state_options o)
{
    std::error_code last = make_error_code(errc::refused);
    std::string story = "nobody can give the state";
    for (const int donor : donors) {
        try {
            auto state = co_await fetch_state<Net>(net, donor, sizes, o);
            co_return state;
        } catch (const std::system_error& failure) {
            last = failure.code();
            story += "; peer " + std::to_string(donor) + ": " + failure.what();
        }
    }
    throw std::system_error(last, story);
}

}  // namespace papilio
