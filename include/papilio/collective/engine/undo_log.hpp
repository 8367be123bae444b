#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/kept_memory.hpp>

#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>

namespace papilio::inline PAPILIO_MODE::detail {

/// What the caller's data held where results have overwritten it. Unless the results are to be
/// kept, the destructor puts it back, so that a call in place that fails, or whose task is dropped,
/// leaves the data as it was.
///
/// A range is saved when its result is about to be written. Then it has just been sent, and is
/// still in the cache: to build all results elsewhere and copy them at the end takes longer.
class undo_log {
public:
    /// As large as `data`, of memory that `from` lends. Throws `std::bad_alloc`.
    undo_log(kept_memory& from, mutable_bytes data) : data_(data), memory_(from, data.size()) {}
    undo_log(const undo_log&) = delete;
    undo_log& operator=(const undo_log&) = delete;
    ~undo_log()
    {
        for (const auto& [begin, size] : saved_)
            std::memcpy(data_.data() + begin, memory_.get().data() + begin, size);
    }

    /// Saves `size` bytes from `begin` on, unless they have been. A call writes the same ranges
    /// again, and no others that overlap them. From any thread.
    void save(std::size_t begin, std::size_t size)
    {
        if (size == 0) return;  // and may begin where another does
        {
            const std::lock_guard lock(mutex_);
            const auto [place, is_new] = saved_.emplace(begin, size);
            PAPILIO_CHECK(place->second == size, "a range is written as a whole each time");
            if (!is_new) return;
        }
        std::memcpy(memory_.get().data() + begin, data_.data() + begin, size);
    }

    /// What a range held that has been saved; nothing if it has not been. From any thread.
    bytes saved(std::size_t begin, std::size_t size)
    {
        const std::lock_guard lock(mutex_);
        const auto found = saved_.find(begin);
        if (found == saved_.end() || size == 0) return {};
        PAPILIO_CHECK(found->second == size, "a range is read as it has been written");
        return memory_.get().subspan(begin, size);
    }

    /// The call has succeeded: nothing will be put back.
    void keep_results() noexcept { saved_.clear(); }

private:
    mutable_bytes data_;
    lent_memory memory_;
    std::mutex mutex_;
    std::map<std::size_t, std::size_t> saved_;  // sizes by begin
};

}  // namespace papilio::detail
