#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/kept_memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__GLIBC__) && defined(__linux__)
// As <sys/mman.h> has it; the core includes no header of the system's.
extern "C" int madvise(void*, std::size_t, int) noexcept;
#endif

namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// What the system may do with memory in whole huge pages. It is no error if it cannot.
enum class page_advice { may_be_taken = 8, prefer_huge = 14 };  // MADV_FREE, MADV_HUGEPAGE

inline void advise([[maybe_unused]] mutable_bytes pages, [[maybe_unused]] page_advice what) noexcept
{
#if defined(__GLIBC__) && defined(__linux__)
    ::madvise(pages.data(), pages.size(), static_cast<int>(what));
#endif
}

inline bool has_huge_pages(std::size_t size) noexcept
{
    return size >= 2 * huge_page;
}

PAPILIO_DECL kept_memory::block kept_memory::take(std::size_t size)
{
    const auto fits = [&](const block& b) { return size <= b.size_ && b.size_ / 2 <= size; };
    const auto found = std::ranges::find_if(kept_, fits);
    if (size >= min_kept && found != kept_.end()) {
        block taken = std::move(*found);
        kept_.erase(found);
        return taken;
    }
    const auto make = [&]() -> block {
        if (!has_huge_pages(size)) return {std::malloc(size + 1), size};
        const auto whole = (size + huge_page - 1) / huge_page * huge_page;
        return {std::aligned_alloc(huge_page, whole), whole};
    };
    auto made = make();
    if (!made.at_) {
        release();
        made = make();
    }
    if (!made.at_) throw std::bad_alloc();
    if (has_huge_pages(size)) advise(made.get(), page_advice::prefer_huge);
    return made;
}

PAPILIO_DECL void kept_memory::give(block b) noexcept
{
    const auto more = b.size_;
    if (watches_addresses || more < min_kept || more > max_kept) return;
    while (size() + more > max_kept) kept_.erase(kept_.begin());
    if (has_huge_pages(more)) advise(b.get(), page_advice::may_be_taken);
    try {
        kept_.push_back(std::move(b));
    } catch (const std::bad_alloc&) {
        // It goes back to the system.
    }
}

PAPILIO_DECL std::size_t kept_memory::size() const noexcept
{
    std::size_t all = 0;
    for (const auto& b : kept_) all += b.size_;
    return all;
}

}  // namespace papilio::detail
