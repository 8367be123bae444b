#pragma once

#include <papilio/base/config.hpp>

#include <array>
#include <cstddef>
#include <new>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether a sanitizer watches each allocation: then none is lent again.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watches_addresses = true;
#elif defined(__has_feature)
inline constexpr bool watches_addresses = __has_feature(address_sanitizer);
#else
inline constexpr bool watches_addresses = false;
#endif

/// Memory for coroutine frames and small messages. A small call takes dozens of blocks, of a few
/// sizes, for which the allocator took a third of all its instructions. So a thread keeps the
/// blocks that are given back there for the next ones, up to 64 KiB of each size and 1 MiB of all,
/// until it ends.
class small_memory {
public:
    static void* take(std::size_t size)
    {
        const auto i = size_class(size);
        if (i >= classes) return ::operator new(size);
        auto& list = kept_.lists[i];
        block* const taken = list.first;
        if (!taken) return ::operator new(i* step);
        list.first = taken->next;
        list.bytes -= i * step;
        kept_.bytes -= i * step;
        return taken;
    }

    /// `memory` is what `take` returned for `size`, in any thread.
    static void give(void* memory, std::size_t size) noexcept
    {
        const auto i = size_class(size);
        if (i >= classes || !keeps(i)) return ::operator delete(memory);
        auto& list = kept_.lists[i];
        list.first = new (memory) block{list.first};
        list.bytes += i * step;
        kept_.bytes += i * step;
    }

    /// Bytes that this thread keeps.
    static std::size_t kept() noexcept { return kept_.bytes; }

    static constexpr std::size_t step = 64;
    static constexpr std::size_t largest = 32 << 10;
    static constexpr std::size_t max_of_size = 64 << 10;
    static constexpr std::size_t max_kept = 1 << 20;

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

    struct kept_blocks {
        std::array<free_list, classes + 1> lists;
        std::size_t bytes;
        life owner;
    };

    static constexpr std::size_t size_class(std::size_t size) noexcept
    {
        return size == 0 ? 1 : (size + step - 1) / step;
    }

    /// Whether this thread keeps another block of a size. Once it has ended as far as its own
    /// objects go, it does not: static ones end later.
    static bool keeps(std::size_t i) noexcept
    {
        if (kept_.owner == life::unused) begin();
        return kept_.owner == life::running && kept_.lists[i].bytes + i * step <= max_of_size &&
               kept_.bytes + i * step <= max_kept;
    }

    static void begin() noexcept
    {
        struct at_end {
            ~at_end()
            {
                for (auto& list : kept_.lists)
                    while (block* const b = list.first) {
                        list.first = b->next;
                        ::operator delete(b);
                    }
                kept_ = {};
                kept_.owner = life::ended;
            }
        };
        thread_local at_end releases;
        (void)releases;
        kept_.owner = life::running;
    }

    // Plain data without a constructor, which the compiler reaches without a guard.
    static constinit thread_local inline kept_blocks kept_{};
};

}  // namespace papilio::detail
