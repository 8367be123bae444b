#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__GLIBC__) && defined(__linux__)
// As <sys/mman.h> has it; the core includes no header of the system's.
extern "C" int madvise(void*, std::size_t, int) noexcept;
#endif

namespace papilio::inline PAPILIO_MODE::detail {

/// Asks for huge pages; where there are none, pages are small.
inline void prefer_huge_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t size)
{
#if defined(__GLIBC__) && defined(__linux__)
    constexpr int huge_pages = 14;  // MADV_HUGEPAGE
    ::madvise(begin, size, huge_pages);
#endif
}

/// Memory, not initialised, for a result that must not overwrite the caller's data before the call
/// has succeeded. It is new in every call, and a page fault for each 4 KiB would cost as much as to
/// move them to a peer on the same machine: large buffers are of huge pages where the system has
/// them. Throws `std::bad_alloc`.
class staging_buffer {
public:
    explicit staging_buffer(std::size_t size) : size_(size)
    {
        const auto whole = (size + huge_page - 1) / huge_page * huge_page;
        if (whole < 2 * huge_page) {
            memory_.reset(std::malloc(size + 1));
        } else {
            memory_.reset(std::aligned_alloc(huge_page, whole));
            if (memory_) prefer_huge_pages(memory_.get(), whole);
        }
        if (!memory_) throw std::bad_alloc();
    }

    mutable_bytes get() const noexcept { return {static_cast<std::byte*>(memory_.get()), size_}; }

private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    struct free {
        void operator()(void* p) const noexcept { std::free(p); }
    };
    std::size_t size_;
    std::unique_ptr<void, free> memory_;
};

}  // namespace papilio::detail
