#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/session/chosen.hpp>
#include <papilio/session/elements_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <future>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

class group_member;

enum class collective : std::uint8_t {
    all_reduce,
    all_reduce_in_place,
    reduce_scatter,
    all_gather,
    broadcast,
    barrier,
};

/// A call as it is asked for, before its types are known.
struct asked_call {
    collective what{};
    const_elements_ref in;
    elements_ref out;
    chosen_op op = {};
    chosen_codec codec = {};
    call_options options = {};
    int root = 0;
};

/// Both may be called from any thread. The first blocks, and throws what the call does. Where
/// there is no group any more they throw `errc::bad_argument`.
void make_call(group_member* on, const asked_call& call, report& done);
void make_call(group_member* on, const asked_call& call, std::future<report>& done);

}  // namespace detail

/// The collectives of a group; what each does, collective/ says under its name. A call returns a
/// `Result`: a report, once it has ended, or at once a future of one. Until then what the call
/// reads must not change, and what it writes must not be read. Operation and codec may be left out,
/// the options too, which come last.
template <class Result>
class collective_calls {
public:
    Result all_reduce(const_elements_ref in, elements_ref out, chosen_op op, chosen_codec codec,
                      call_options options = {}) const
    {
        return make({detail::collective::all_reduce, in, out, op, codec, options});
    }
    Result all_reduce(const_elements_ref in, elements_ref out, chosen_op op,
                      call_options options = {}) const
    {
        return all_reduce(in, out, op, {}, options);
    }
    Result all_reduce(const_elements_ref in, elements_ref out, call_options options = {}) const
    {
        return all_reduce(in, out, {}, {}, options);
    }

    Result all_reduce_in_place(elements_ref data, chosen_op op, chosen_codec codec,
                               call_options options = {}) const
    {
        return make(
            {detail::collective::all_reduce_in_place, reading(data), data, op, codec, options});
    }
    Result all_reduce_in_place(elements_ref data, chosen_op op, call_options options = {}) const
    {
        return all_reduce_in_place(data, op, {}, options);
    }
    Result all_reduce_in_place(elements_ref data, call_options options = {}) const
    {
        return all_reduce_in_place(data, {}, {}, options);
    }

    Result reduce_scatter(const_elements_ref in, elements_ref out, chosen_op op, chosen_codec codec,
                          call_options options = {}) const
    {
        return make({detail::collective::reduce_scatter, in, out, op, codec, options});
    }
    Result reduce_scatter(const_elements_ref in, elements_ref out, chosen_op op,
                          call_options options = {}) const
    {
        return reduce_scatter(in, out, op, {}, options);
    }
    Result reduce_scatter(const_elements_ref in, elements_ref out, call_options options = {}) const
    {
        return reduce_scatter(in, out, {}, {}, options);
    }

    Result all_gather(const_elements_ref in, elements_ref out, chosen_codec codec,
                      call_options options = {}) const
    {
        return make({detail::collective::all_gather, in, out, {}, codec, options});
    }
    Result all_gather(const_elements_ref in, elements_ref out, call_options options = {}) const
    {
        return all_gather(in, out, {}, options);
    }

    Result broadcast(elements_ref data, int root, chosen_codec codec,
                     call_options options = {}) const
    {
        return make({detail::collective::broadcast, reading(data), data, {}, codec, options, root});
    }
    Result broadcast(elements_ref data, int root, call_options options = {}) const
    {
        return broadcast(data, root, {}, options);
    }

    Result barrier(call_options options = {}) const
    {
        const elements_ref none(nullptr, 0, element_type::u8);
        return make({detail::collective::barrier, reading(none), none, {}, {}, options});
    }

protected:
    explicit collective_calls(detail::group_member* on) noexcept : on_(on) {}

    detail::group_member* on_;

private:
    friend class communicator;

    static const_elements_ref reading(elements_ref data) noexcept
    {
        return {data.data(), data.size(), data.type()};
    }
    Result make(const detail::asked_call& call) const
    {
        Result done;
        detail::make_call(on_, call, done);
        return done;
    }
};

}  // namespace papilio
