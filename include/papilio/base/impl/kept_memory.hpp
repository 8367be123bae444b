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
    block taken = size < min_kept ? block() : take_kept(size);
    if (!taken.at_) taken = make(size);
    if (!taken.at_) {
        release();
        taken = make(size);
    }
    if (!taken.at_) throw std::bad_alloc();
    lent_ += taken.size_;
    most_lent_ = std::max(most_lent_, lent_);
    return taken;
}

/// Nothing if no block is large enough.
PAPILIO_DECL kept_memory::block kept_memory::take_kept(std::size_t size)
{
    auto best = kept_.end();
    for (auto b = kept_.begin(); b != kept_.end(); ++b)
        if (b->size_ >= size && (best == kept_.end() || b->size_ < best->size_)) best = b;
    if (best == kept_.end()) return {};
    block taken = std::move(*best);
    kept_.erase(best);
    return taken;
}

/// Nothing if there is no memory.
PAPILIO_DECL kept_memory::block kept_memory::make(std::size_t size)
{
    if (!has_huge_pages(size)) return {std::malloc(size + 1), size};
    const auto whole = (size + huge_page - 1) / huge_page * huge_page;
    block made(std::aligned_alloc(huge_page, whole), whole);
    if (made.at_) advise(made.get(), page_advice::prefer_huge);
    return made;
}

PAPILIO_DECL void kept_memory::give(block b) noexcept
{
    const auto more = b.size_;
    lent_ -= more;
    const auto most = std::min(most_lent_, max_kept);
    if (watches_addresses || more < min_kept || more > most) return;
    while (size() + more > most) kept_.erase(kept_.begin());
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
