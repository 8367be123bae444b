#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Large blocks of memory, not initialised, that calls leave for later ones.
///
/// Memory that is new to the process comes with a page fault for each 4 KiB and is zeroed by the
/// system, which together cost as much as to move as many bytes to a peer on the same machine. So
/// blocks are of huge pages where the system has them, and what is given back is kept: no more than
/// was lent at the same time, and than `max_kept` bytes. The system may take the contents of kept
/// blocks whenever it is short of memory.
class kept_memory {
public:
    static constexpr std::size_t max_kept = std::size_t{1} << 30;
    static constexpr std::size_t min_kept = 64 << 10;  // the allocator keeps smaller ones

    class block {
    public:
        block() = default;
        mutable_bytes get() const noexcept { return {static_cast<std::byte*>(at_.get()), size_}; }

    private:
        friend class kept_memory;
        struct free {
            void operator()(void* p) const noexcept { std::free(p); }
        };
        block(void* at, std::size_t size) noexcept : at_(at), size_(size) {}

        std::unique_ptr<void, free> at_;
        std::size_t size_ = 0;
    };

    kept_memory() = default;
    kept_memory(const kept_memory&) = delete;
    kept_memory& operator=(const kept_memory&) = delete;

    /// A block of `size` bytes or more: the smallest kept one that is enough, or a new one. Throws
    /// `std::bad_alloc`.
    block take(std::size_t size);

    /// Keeps `b`, which `take` has returned, for later, in place of those that have been kept for
    /// longest if need be.
    void give(block b) noexcept;

    /// Returns everything to the system.
    void release() noexcept { kept_.clear(); }

    /// Bytes that are kept.
    std::size_t size() const noexcept;

private:
    block take_kept(std::size_t size);
    static block make(std::size_t size);

    std::vector<block> kept_;  // the oldest first
    std::size_t lent_ = 0;
    std::size_t most_lent_ = 0;
};

/// `size` bytes of it, for as long as this lives. Throws `std::bad_alloc`.
class lent_memory {
public:
    lent_memory(kept_memory& from, std::size_t size)
        : from_(from), block_(from.take(size)), size_(size)
    {
    }
    lent_memory(const lent_memory&) = delete;
    lent_memory& operator=(const lent_memory&) = delete;
    ~lent_memory() { from_.give(std::move(block_)); }

    mutable_bytes get() const noexcept { return block_.get().first(size_); }

private:
    kept_memory& from_;
    kept_memory::block block_;
    std::size_t size_;
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/kept_memory.hpp>
#endif
