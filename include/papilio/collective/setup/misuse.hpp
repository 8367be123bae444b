#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>

#include <concepts>
#include <type_traits>

// What callers get wrong, each answered by one sentence. The functions that they call take
// anything, ask here what is wrong with it, and go no further when something is: more errors would
// bury the sentence. Constraints would not do, since compilers answer them with a list of
// candidates.
namespace papilio::inline PAPILIO_MODE::detail {

enum class misuse {
    none,
    no_transport,
    temporary_transport,
    pointer,
    no_range,
    scattered,
    no_elements,
    temporary_data,
    const_result,
    different_elements,
    one_range,
    two_ranges,
    early_options,
    codec_first,
    no_operation,
    unsuited_operation,
    operation_last,
    no_codec,
    lossy_integers,
    unsuited_codec,
};

/// Whether nothing is wrong; does not compile otherwise. All sentences stand in one function,
/// called by the user's own, since compilers name those in between first, line by line.
template <misuse What>
constexpr bool allowed()
{
    static_assert(What != misuse::no_transport,
                  "not a transport: pass the transport itself, neither const nor by a pointer; "
                  "transport/base.hpp says what one must have");
    static_assert(What != misuse::temporary_transport,
                  "this transport is a temporary, gone before the call begins: give it a name");

    static_assert(What != misuse::pointer,
                  "a pointer does not say how many elements there are: pass std::span(pointer, "
                  "count)");
    static_assert(What != misuse::no_range,
                  "not a range of elements where one is expected: pass a vector, an array or a "
                  "span");
    static_assert(What != misuse::scattered,
                  "elements must lie side by side, as in a vector, an array or a span: copy them "
                  "into one");
    static_assert(What != misuse::no_elements,
                  "no elements for a collective: it takes float, double, f16, bf16 and integers "
                  "of 8 to 64 bits, neither bool nor char");
    static_assert(What != misuse::temporary_data,
                  "this range is a temporary, gone before the call begins: give it a name, or "
                  "pass a span of what outlives the call");
    static_assert(What != misuse::const_result,
                  "the result cannot be written to const elements: pass a range whose elements "
                  "may change");
    static_assert(What != misuse::different_elements,
                  "in and out hold elements of different types");
    static_assert(What != misuse::one_range,
                  "all_reduce takes in and out: to put the result in place of the data, call "
                  "all_reduce_in_place(net, data, op, codec, options)");
    static_assert(What != misuse::two_ranges,
                  "all_reduce_in_place takes one range, which it overwrites: all_reduce takes in "
                  "and out");

    static_assert(What != misuse::early_options,
                  "options come last, after the operation and the codec, or whichever of them "
                  "the call takes");
    static_assert(What != misuse::codec_first,
                  "a codec where an operation is expected: the operation comes first, as in "
                  "mean{}, int8b{}");
    static_assert(What != misuse::no_operation,
                  "not an operation on these elements: pass sum{}, mean{} or another one of "
                  "op.hpp; op/base.hpp says what one must have");
    static_assert(What != misuse::unsuited_operation,
                  "this operation does not take these elements: add integers up by sum{} and "
                  "divide, since a mean would have to round, or convert to float first");
    static_assert(What != misuse::operation_last,
                  "an operation where a codec is expected: pass identity{}, int8b{} or another "
                  "one of codec.hpp, or leave it out");
    static_assert(What != misuse::no_codec,
                  "not a codec: pass identity{}, int8b{} or another one of codec.hpp; "
                  "codec/base.hpp says what one must have");
    static_assert(What != misuse::lossy_integers,
                  "a lossy codec takes floating-point elements only: send integers by identity{}");
    static_assert(What != misuse::unsuited_codec,
                  "not a codec for these elements: see codec/base.hpp for what one must have");
    return What == misuse::none;
}

/// What a call that is not allowed returns. There is no such function, nor a program that needs it.
template <class T = report>
task<T> refused();

/// What an operation or a codec is, so that options in its place are seen to stand too early.
template <class T>
concept no_options = !std::same_as<T, call_options>;

/// For calls that are never right. `Net` has the error wait for one.
template <misuse What, class Net>
task<report> refuse()
{
    allowed<std::is_void_v<Net> ? misuse::none : What>();
    return refused();
}

}  // namespace papilio::detail
