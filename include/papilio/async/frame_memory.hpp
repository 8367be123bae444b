#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>

#include <array>
#include <cstddef>
#include <new>

namespace papilio::inline PAPILIO_MODE::detail {

/// Memory for coroutine frames. A small call takes dozens, of a few sizes, for which the allocator
/// took a third of all its instructions. So a thread keeps the blocks that are given back there for
/// the next ones, up to 64 KiB of each size, until it ends.
class frame_memory {
public:
    static void* take(std::size_t size)
    {
        const auto i = size_class(size);
        if (i >= classes) return ::operator new(size);
        auto& list = kept_[i];
        if (!list.first) return ::operator new(i* step);
        block* const taken = list.first;
        list.first = taken->next;
        list.bytes -= i * step;
        return taken;
    }

    /// `memory` is what `take` returned for `size`, in any thread.
    static void give(void* memory, std::size_t size) noexcept
    {
        const auto i = size_class(size);
        if (i >= classes || !keeps() || kept_[i].bytes + i * step > max_kept) {
            ::operator delete(memory);
            return;
        }
        auto& list = kept_[i];
        list.first = new (memory) block{list.first};
        list.bytes += i * step;
    }

    /// Bytes that this thread keeps.
    static std::size_t kept() noexcept
    {
        std::size_t sum = 0;
        for (const auto& list : kept_) sum += list.bytes;
        return sum;
    }

    static constexpr std::size_t step = 64;
    static constexpr std::size_t largest = 8 << 10;
    static constexpr std::size_t max_kept = 64 << 10;  // of each size

private:
    static constexpr std::size_t classes = watches_addresses ? 0 : largest / step + 1;

    struct block {
        block* next;
    };
    struct free_list {
        block* first;
        std::size_t bytes;
    };
    enum class life { unused, running, ended };

    static constexpr std::size_t size_class(std::size_t size) noexcept
    {
        return size == 0 ? 1 : (size + step - 1) / step;
    }

    /// Whether this thread still keeps blocks: static objects may end after those of the thread.
    static bool keeps() noexcept
    {
        if (life_ == life::unused) begin();
        return life_ == life::running;
    }
    static void begin() noexcept
    {
        struct at_end {
            ~at_end()
            {
                life_ = life::ended;
                for (auto& list : kept_)
                    while (block* const b = list.first) {
                        list.first = b->next;
                        ::operator delete(b);
                    }
                kept_ = {};
            }
        };
        thread_local at_end releases;
        (void)releases;
        life_ = life::running;
    }

    // Plain data without constructors, which the compiler reaches without a guard.
    static constinit thread_local inline std::array<free_list, classes + 1> kept_{};
    static constinit thread_local inline life life_ = life::unused;
};

}  // namespace papilio::detail
