#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/small_memory.hpp>

#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Memory for a message, not initialised.
///
/// Memory fresh from the system comes with a page fault for each 4 KiB, which takes longer than to
/// fill them, and a call takes buffers of the same sizes again and again. So a thread keeps the
/// last 4 MiB that are given back there, until it ends. It is the thread's, as malloc's own caches
/// are, since the many short calls of a loop and the mailboxes of its transports have no owner in
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
    ~pooled_buffer()
    {
        if (mine_.memory) give(std::move(mine_));
    }

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
    struct release {
        release() noexcept : size(0) {}
        explicit release(std::size_t of) noexcept : size(of) {}
        void operator()(std::byte* memory) const noexcept { small_memory::give(memory, size); }
        std::size_t size;
    };
    struct block {
        std::unique_ptr<std::byte[], release> memory;
        std::size_t size = 0;
    };

    static constexpr std::size_t header = 64;
    static constexpr std::size_t min_kept = small_memory::largest;  // smaller ones are kept there

    struct free_list;

    static block take(std::size_t size);
    static void give(block b) noexcept;

    block mine_;
    std::size_t used_ = 0;
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/buffer_pool.hpp>
#endif
