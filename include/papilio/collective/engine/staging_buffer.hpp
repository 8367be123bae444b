#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/kept_memory.hpp>

#include <cstddef>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Memory, not initialised, for results that are no part of the caller's. Throws `std::bad_alloc`.
class staging_buffer {
public:
    staging_buffer(kept_memory& from, std::size_t size)
        : from_(from), memory_(from.take(size)), size_(size)
    {
    }
    staging_buffer(const staging_buffer&) = delete;
    staging_buffer& operator=(const staging_buffer&) = delete;
    ~staging_buffer() { from_.give(std::move(memory_)); }

    mutable_bytes get() const noexcept { return memory_.get().first(size_); }

private:
    kept_memory& from_;
    kept_memory::block memory_;
    std::size_t size_;
};

}  // namespace papilio::detail
