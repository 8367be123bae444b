#pragma once

#include "perf/backend.hpp"

#include <functional>

namespace papilio::perf {

/// The input and output buffers of one peer. They are kept between jobs if they are large enough.
class buffers {
public:
    buffers() = default;

    /// `from` has the memory, if it has some of its own; it must outlive the buffers then.
    buffers(std::size_t each, backend& from);
    buffers(buffers&& from) noexcept;
    buffers& operator=(buffers&& from) noexcept;
    ~buffers();

    std::byte* in() const noexcept { return memory_; }
    std::byte* out() const noexcept { return memory_ + each_; }
    std::size_t each() const noexcept { return each_; }

private:
    std::size_t each_ = 0;
    std::byte* memory_ = nullptr;
    bool owns_ = false;
};

/// The memory of this process, in bytes.
struct memory_use {
    double now = 0;
    double peak = 0;  ///< since the last `forget_peak`, if the kernel supports that
};
memory_use memory_in_use();
void forget_peak();

/// Measures a job with `c`. `meet` returns after every peer has called it. `base` is the memory of
/// the process before it had buffers.
outcome measure(backend& c, const place& p, const job& j, buffers& memory, double base,
                const std::function<void()>& meet);

}  // namespace papilio::perf
