#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace papilio::detail {

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
#if defined(MADV_HUGEPAGE)
            if (room_) ::madvise(room_.get(), size, MADV_HUGEPAGE);
#endif
        }
        if (!room_) throw std::bad_alloc();
        std::uninitialized_default_construct_n(static_cast<T*>(room_.get()), count);
    }

    std::span<T> get() const noexcept
    {
        return {static_cast<T*>(room_.get()), count_};
    }

private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    struct free {
        void operator()(void* p) const noexcept { std::free(p); }
    };
    std::size_t count_;
    std::unique_ptr<void, free> room_;
};

}  // namespace papilio::detail
