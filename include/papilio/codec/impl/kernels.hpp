#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/kernels/avx2.hpp>
#include <papilio/codec/kernels/avx512.hpp>
#include <papilio/codec/kernels/neon.hpp>
#include <papilio/codec/kernels/scalar.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <cstdlib>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL const kernel_table* kernels_of(isa level) noexcept
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

PAPILIO_DECL const kernel_table& choose_kernels(const char* wanted)
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

PAPILIO_DECL const kernel_table& kernels()
{
    static const kernel_table& chosen = choose_kernels(std::getenv("PAPILIO_ISA"));
    return chosen;
}

}  // namespace papilio::detail
