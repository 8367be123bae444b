#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#if defined(__GLIBC__) && defined(__linux__)
// As <sys/mman.h> has it; the core includes no header of the system's.
extern "C" int madvise(void*, std::size_t, int) noexcept;
#endif

namespace papilio::detail {

/// Asks for huge pages; whoever gets none has small ones.
inline void prefer_huge_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t size)
{
#if defined(__GLIBC__) && defined(__linux__)
    constexpr int huge_pages = 14;  // MADV_HUGEPAGE
    ::madvise(begin, size, huge_pages);
#endif
}

/// Room, not initialised, for a result that must not overwrite the caller's data before the call
/// has succeeded. It is new in every call, and a page fault for each 4 KiB would cost as much as to
/// move them to a peer on the same machine: large rooms are of huge pages where the system has
/// them. Throws `std::bad_alloc`.
template <class T>
requires(std::is_trivially_copyable_v<T>) class shadow {
public:
    explicit shadow(std::size_t count) : count_(count)
    {
        const auto size = (count * sizeof(T) + huge_page - 1) / huge_page * huge_page;
        if (size < 2 * huge_page) {
            room_.reset(std::malloc(count * sizeof(T) + 1));
        } else {
            room_.reset(std::aligned_alloc(huge_page, size));
            if (room_) prefer_huge_pages(room_.get(), size);
        }
        if (!room_) throw std::bad_alloc();
        std::uninitialized_default_construct_n(static_cast<T*>(room_.get()), count);
    }

    std::span<T> get() const noexcept { return {static_cast<T*>(room_.get()), count_}; }

private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    struct free {
        void operator()(void* p) const noexcept { std::free(p); }
    };
    std::size_t count_;
    std::unique_ptr<void, free> room_;
};

}  // namespace papilio::detail
