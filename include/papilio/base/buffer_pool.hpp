#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether a sanitizer watches each allocation: then none is lent again.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watches_addresses = true;
#elif defined(__has_feature)
inline constexpr bool watches_addresses = __has_feature(address_sanitizer);
#else
inline constexpr bool watches_addresses = false;
#endif

/// Room for a message, not initialised.
///
/// Memory fresh from the system comes with a page fault for each 4 KiB, which takes longer than to
/// fill them, and a call takes rooms of the same sizes again and again. So a thread keeps the last
/// 4 MiB that are given back there, until it ends. It is the thread's, as malloc's own caches are,
/// since the many short calls of a loop and the mailboxes of its transports have no owner in
/// common.
class pooled_buffer {
public:
    pooled_buffer() = default;
    explicit pooled_buffer(std::size_t size) : mine_(take(held(size))), used_(size) {}
    pooled_buffer(pooled_buffer&& from) noexcept
        : mine_(std::exchange(from.mine_, {})), used_(std::exchange(from.used_, 0))
    {
    }
    pooled_buffer& operator=(pooled_buffer&& from) noexcept
    {
        std::swap(mine_, from.mine_);
        std::swap(used_, from.used_);
        return *this;
    }
    ~pooled_buffer() { give(std::move(mine_)); }

    /// Makes it `size` bytes large. What it held is lost, and spans into it with it.
    mutable_bytes resize(std::size_t size)
    {
        if (mine_.size < size) *this = pooled_buffer(size);
        used_ = size;
        return get();
    }

    /// Valid until the buffer is resized, moved into or destroyed.
    mutable_bytes get() const noexcept { return {mine_.memory.get(), used_}; }

    /// The memory that a buffer of `size` takes. Large ones come in steps of an eighth or less, so
    /// that messages which differ by a header can have each other's.
    static constexpr std::size_t held(std::size_t size) noexcept
    {
        if (size < min_kept) return size;
        const auto step = std::bit_floor(size) / 8;
        return (size + header + step - 1) / step * step;
    }

private:
    struct block {
        std::unique_ptr<std::byte[]> memory = {};
        std::size_t size = 0;
    };

    static constexpr std::size_t header = 64;
    static constexpr std::size_t min_kept = 32 << 10;  // the allocator keeps smaller ones
    static constexpr std::size_t max_kept = 4 << 20;

    /// What a thread keeps, the oldest first.
    struct free_list {
        std::array<block, max_kept / min_kept> blocks = {};
        std::size_t count = 0;
        std::size_t size = 0;

        ~free_list() { closed() = true; }

        block remove(std::size_t i) noexcept
        {
            const auto at = blocks.begin() + static_cast<std::ptrdiff_t>(i);
            block taken = std::move(*at);
            std::move(at + 1, blocks.begin() + static_cast<std::ptrdiff_t>(count--), at);
            size -= taken.size;
            return taken;
        }
    };
    static free_list& kept()
    {
        thread_local free_list mine;
        return mine;
    }
    /// Whether the thread has ended as far as its own objects go; static ones end later.
    static bool& closed()
    {
        thread_local bool mine = false;
        return mine;
    }

    static block take(std::size_t size)
    {
        if (size >= min_kept && !closed()) {
            auto& from = kept();
            for (auto i = from.count; i-- > 0;)
                if (from.blocks[i].size == size) return from.remove(i);
        }
        return {std::make_unique_for_overwrite<std::byte[]>(size), size};
    }

    static void give(block b) noexcept
    {
        const bool keeps = !watches_addresses && !closed();
        if (!keeps || b.size < min_kept || b.size > max_kept) return;
        auto& to = kept();
        while (to.size + b.size > max_kept) to.remove(0);
        to.size += b.size;
        to.blocks[to.count++] = std::move(b);
    }

    block mine_;
    std::size_t used_ = 0;
};

}  // namespace papilio::detail
