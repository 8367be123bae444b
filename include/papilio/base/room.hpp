#pragma once

#include <papilio/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define PAPILIO_WATCHES_ADDRESSES 1
#elif defined(__has_feature)
#define PAPILIO_WATCHES_ADDRESSES __has_feature(address_sanitizer)
#else
#define PAPILIO_WATCHES_ADDRESSES 0
#endif

namespace papilio::detail {

/// Room for a message, not initialised. A thread keeps what is given back there, 4 MiB at most, and
/// lends it again: memory fresh from the system comes with a page fault for each 4 KiB, which takes
/// longer than to fill them.
class room {
public:
    room() = default;
    explicit room(std::size_t size) : mine_(take(size)), used_(size) {}
    room(room&& from) noexcept
        : mine_(std::exchange(from.mine_, {})), used_(std::exchange(from.used_, 0))
    {
    }
    room& operator=(room&& from) noexcept
    {
        std::swap(mine_, from.mine_);
        std::swap(used_, from.used_);
        return *this;
    }
    ~room() { give(std::move(mine_)); }

    /// Makes it `size` bytes large, which may be other ones than before.
    mutable_bytes resize(std::size_t size)
    {
        if (mine_.size < size) *this = room(size);
        used_ = size;
        return get();
    }

    mutable_bytes get() const noexcept { return {mine_.memory.get(), used_}; }

private:
    struct block {
        std::unique_ptr<std::byte[]> memory = {};
        std::size_t size = 0;
    };

    static constexpr std::size_t least_kept = 32 << 10;  // the allocator keeps smaller ones
#if PAPILIO_WATCHES_ADDRESSES
    static constexpr std::size_t most_kept = 0;
#else
    static constexpr std::size_t most_kept = 4 << 20;
#endif

    /// What a thread keeps.
    struct shelf {
        std::array<block, most_kept / least_kept> blocks = {};
        std::size_t count = 0;
        std::size_t size = 0;
        ~shelf() { closed() = true; }
    };
    static shelf& kept()
    {
        thread_local shelf mine;
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
        if (size >= least_kept && !closed()) {
            auto& from = kept();
            const auto end = from.blocks.begin() + static_cast<std::ptrdiff_t>(from.count);
            const auto fits = [&](const block& b) { return b.size >= size && b.size / 2 <= size; };
            if (const auto found = std::find_if(from.blocks.begin(), end, fits); found != end) {
                from.size -= found->size;
                std::swap(*found, from.blocks[--from.count]);
                return std::exchange(from.blocks[from.count], {});
            }
        }
        return {std::make_unique_for_overwrite<std::byte[]>(size), size};
    }

    static void give(block b) noexcept
    {
        if (b.size < least_kept || closed()) return;
        auto& to = kept();
        if (to.size + b.size > most_kept) return;
        to.size += b.size;
        to.blocks[to.count++] = std::move(b);
    }

    block mine_;
    std::size_t used_ = 0;
};

}  // namespace papilio::detail
