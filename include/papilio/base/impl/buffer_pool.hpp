#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a thread keeps, the oldest first.
struct pooled_buffer::free_list {
    static constexpr std::size_t max_kept = 4 << 20;

    static free_list& of_this_thread()
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
    ~free_list() { closed() = true; }

    block remove(std::size_t i) noexcept
    {
        const auto at = blocks.begin() + static_cast<std::ptrdiff_t>(i);
        block taken = std::move(*at);
        std::move(at + 1, blocks.begin() + static_cast<std::ptrdiff_t>(count--), at);
        size -= taken.size;
        return taken;
    }

    std::array<block, max_kept / min_kept> blocks = {};
    std::size_t count = 0;
    std::size_t size = 0;
};

PAPILIO_DECL pooled_buffer::block pooled_buffer::take(std::size_t size)
{
    if (size >= min_kept && !free_list::closed()) {
        auto& from = free_list::of_this_thread();
        for (auto i = from.count; i-- > 0;)
            if (from.blocks[i].size == size) return from.remove(i);
    }
    auto* const memory = static_cast<std::byte*>(small_memory::take(size));
    return {{memory, release(size)}, size};
}

PAPILIO_DECL void pooled_buffer::give(block b) noexcept
{
    const bool keeps = !watches_addresses && !free_list::closed();
    if (!keeps || b.size < min_kept || b.size > free_list::max_kept) return;
    auto& to = free_list::of_this_thread();
    while (to.size + b.size > free_list::max_kept) to.remove(0);
    to.size += b.size;
    to.blocks[to.count++] = std::move(b);
}

}  // namespace papilio::detail
