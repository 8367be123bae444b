#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/kernels/avx2.hpp>
#include <papilio/codec/kernels/avx512.hpp>
#include <papilio/codec/kernels/base.hpp>
#include <papilio/codec/kernels/neon.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#include <cstdlib>
#include <string>
#include <system_error>

// Which kernels run here.
namespace papilio::inline PAPILIO_MODE::detail {

/// The kernels of a level; null where this machine lacks something that they need. Feature bits
/// decide, which cover what the operating system saves, too: never the processor's name, which
/// virtual machines make up.
inline const kernel_table* kernels_of(isa level) noexcept
{
    if (level == isa::scalar) return &scalar_kernels;
#if defined(__aarch64__)
    if (level == isa::neon) return &neon::kernels;
#elif defined(__x86_64__)
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (level == isa::avx2 && v3) return &avx2::kernels;
    if (level == isa::avx512 && v4) return &avx512::kernels;
#endif
    return nullptr;
}

/// The kernels of the level that `wanted` names, or the best ones if it is null or empty. Throws
/// `errc::bad_argument` for a level that does not exist or that this machine lacks.
inline const kernel_table& choose_kernels(const char* wanted)
{
    const std::string name = wanted == nullptr ? "" : wanted;
    struct choice {
        isa level;
        const char* name;
    };
    for (const auto& [level, its_name] :
         {choice{isa::avx512, "avx512"}, choice{isa::avx2, "avx2"}, choice{isa::neon, "neon"},
          choice{isa::scalar, "scalar"}}) {
        if (!name.empty() && name != its_name) continue;
        if (const auto* table = kernels_of(level)) return *table;
        if (!name.empty())
            throw std::system_error(errc::bad_argument,
                                    "PAPILIO_ISA=" + name + ", but this machine lacks that");
    }
    throw std::system_error(errc::bad_argument,
                            "PAPILIO_ISA=" + name + ": may be scalar, neon, avx2 or avx512");
}

/// The kernels that this process uses: the best of this machine's, or those that the environment
/// variable PAPILIO_ISA names, so that tests can have others. Chosen at the first call; an
/// impossible choice throws here, again and again.
inline const kernel_table& kernels()
{
    static const kernel_table& chosen = choose_kernels(std::getenv("PAPILIO_ISA"));
    return chosen;
}

}  // namespace papilio::detail
