#pragma once

#include <papilio/base/element.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::perf {

enum class reduction : std::uint8_t { sum, prod, min, max, avg };
enum class collective : std::uint8_t { all_reduce, reduce_scatter, all_gather, broadcast };

/// One measurement. The coordinator sends the bytes of this struct to every peer of a worker group.
/// All peers run the same program.
struct job {
    std::uint64_t count = 0;  ///< elements of the whole vector
    collective what = collective::all_reduce;
    element_type type = element_type::f32;
    reduction op = reduction::sum;
    bool in_place = false;
    bool check = true;   ///< compare the result with the truth
    bool fresh = false;  ///< make new connections first, so that the call is cold
    std::uint32_t warm_up = 0;
    std::uint32_t iterations = 1;
};
static_assert(std::is_trivially_copyable_v<job>);

/// The findings of one peer.
struct findings {
    bool took_part = true;  ///< false: the system does not support this job
    bool measures_wire = false;
    std::int32_t lost = 0;         ///< the most peers that are missing in any range of a result
    std::uint64_t wrong = 0;       ///< elements
    std::uint64_t digest = 0;      ///< of the last result
    double wire_bytes = 0;         ///< sent per call
    double squared_error = 0;      ///< summed over the checked elements
    double squared_truth = 0;      ///< summed over the checked elements
    double processor_seconds = 0;  ///< of all threads, for all iterations
    double wakes = 0;              ///< sleeps of all threads that have ended, for all iterations
    double peak_bytes = 0;         ///< beyond the caller's buffers
};
static_assert(std::is_trivially_copyable_v<findings>);

/// The findings of one peer and the end of each iteration since the first one's begin, so that
/// overlapping iterations are not counted twice.
struct outcome {
    findings found{};
    std::vector<double> seconds;
};

/// Calls `f(std::type_identity<T>{})` with the C++ type `T` of `type`.
template <class F>
decltype(auto) with_type(element_type type, F f)
{
    switch (type) {
    case element_type::f32: return f(std::type_identity<float>{});
    case element_type::f64: return f(std::type_identity<double>{});
    case element_type::f16: return f(std::type_identity<f16>{});
    case element_type::bf16: return f(std::type_identity<bf16>{});
    case element_type::i8: return f(std::type_identity<std::int8_t>{});
    case element_type::i32: return f(std::type_identity<std::int32_t>{});
    case element_type::i64: return f(std::type_identity<std::int64_t>{});
    case element_type::u8: return f(std::type_identity<std::uint8_t>{});
    case element_type::u32: return f(std::type_identity<std::uint32_t>{});
    case element_type::u64: return f(std::type_identity<std::uint64_t>{});
    case element_type::i16:
    case element_type::u16: break;
    }
    throw std::logic_error("nothing is measured with elements of this type");
}

inline std::size_t size_of(element_type type)
{
    return with_type(type, []<class T>(std::type_identity<T>) { return sizeof(T); });
}

// Types and operations have the same names as in nccl-tests.

inline constexpr std::pair<std::string_view, element_type> type_names[] = {
    {"float", element_type::f32}, {"double", element_type::f64},    {"half", element_type::f16},
    {"int8", element_type::i8},   {"bfloat16", element_type::bf16}, {"uint8", element_type::u8},
    {"int32", element_type::i32}, {"uint32", element_type::u32},    {"int64", element_type::i64},
    {"uint64", element_type::u64}};

inline constexpr std::pair<std::string_view, reduction> op_names[] = {{"sum", reduction::sum},
                                                                      {"prod", reduction::prod},
                                                                      {"min", reduction::min},
                                                                      {"max", reduction::max},
                                                                      {"avg", reduction::avg}};

inline constexpr std::pair<std::string_view, collective> collective_names[] = {
    {"all_reduce", collective::all_reduce},
    {"reduce_scatter", collective::reduce_scatter},
    {"all_gather", collective::all_gather},
    {"broadcast", collective::broadcast}};

/// A range of elements of the whole vector.
struct stretch {
    std::size_t begin = 0;
    std::size_t size = 0;
};

/// The range of `rank`: the whole vector, or one of nearly equal parts. The first parts take the
/// remainder.
inline stretch stretch_of(std::uint64_t count, int rank, int peers, bool part)
{
    const auto all = static_cast<std::size_t>(count);
    if (!part) return {0, all};
    const auto n = static_cast<std::size_t>(peers);
    const auto r = static_cast<std::size_t>(rank);
    return {r * (all / n) + std::min(r, all % n), all / n + (r < all % n ? 1 : 0)};
}
inline stretch input_of(const job& j, int rank, int peers)
{
    return stretch_of(j.count, rank, peers, j.what == collective::all_gather);
}
inline stretch output_of(const job& j, int rank, int peers)
{
    return stretch_of(j.count, rank, peers, j.what == collective::reduce_scatter);
}

/// The name of a value in one of the lists above.
template <class Value, std::size_t N>
std::string_view name_in(const std::pair<std::string_view, Value> (&names)[N], Value value)
{
    for (const auto& [name, known] : names)
        if (known == value) return name;
    return "unknown";
}

/// False for a mean of integers, which would need rounding. papilio and nccl-tests do not have it.
inline bool makes_sense(element_type type, reduction op)
{
    return op != reduction::avg || type <= element_type::bf16;
}

}  // namespace papilio::perf
