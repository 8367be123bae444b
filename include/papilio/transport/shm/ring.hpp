#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

// A ring of bytes in memory that two processes share, from one writer to one reader. Neither trusts
// the other: what the other has written is read once, checked, and what each knows by itself is
// kept at home. So whatever the other does, nobody leaves the ring, and bytes are at worst wrong.
namespace papilio::shm::detail {

/// What both share beside the bytes. Starts as zeros. Flags are set by whoever sleeps, and taken
/// back by whoever sees to it that they are woken.
struct ring_state {
    alignas(64) std::atomic<std::uint64_t> written;  ///< bytes so far; the writer's
    alignas(64) std::atomic<std::uint64_t> read;     ///< bytes so far; the reader's
    alignas(64) std::atomic<std::uint32_t> reader_sleeps;
    std::atomic<std::uint32_t> writer_sleeps;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(ring_state) == 192);

/// True if the other side sleeps and must be woken now. What it is to see has been stored.
inline bool takes_back(std::atomic<std::uint32_t>& sleeps) noexcept
{
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return sleeps.load(std::memory_order_relaxed) != 0 && sleeps.exchange(0) != 0;
}

/// Sets or takes back one's own flag. Whoever is about to sleep looks once more after that.
inline void tell(std::atomic<std::uint32_t>& sleeps, bool now) noexcept
{
    sleeps.store(now, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// Bytes between two publications: the other side starts before a long message is complete.
inline constexpr std::size_t ring_step = std::size_t{64} << 10;

/// The end that writes. `data` is a power of two long.
class ring_writer {
public:
    ring_writer(ring_state& shared, mutable_bytes data) noexcept : shared_(shared), data_(data) {}

    /// Takes as much of `from` as there is room for. `wake` is called when the reader sleeps.
    template <class Wake>
    std::size_t write_some(std::span<const bytes> from, std::error_code& error, const Wake& wake)
    {
        const auto before = written_;
        bool full = false;  // the reader may make room at any time: what comes later waits
        for (bytes piece : from) {
            while (!piece.empty() && !full) {
                const auto free = room();
                if (free > data_.size()) error = errc::bad_message;
                full = free == 0 || error;
                if (full) break;
                const auto n = std::min({piece.size(), free, ring_step});
                put(piece.first(n));
                piece = piece.subspan(n);
                if (written_ - published_ >= ring_step) publish(wake);
            }
        }
        publish(wake);
        return static_cast<std::size_t>(written_ - before);
    }

    /// Whether it is worth writing again: half the ring is free, or the reader is mad.
    bool worthwhile() noexcept
    {
        read_ = shared_.read.load(std::memory_order_acquire);
        return data_.size() - (written_ - read_) >= data_.size() / 2;
    }

    void sleeps(bool now) noexcept { tell(shared_.writer_sleeps, now); }

private:
    /// Bytes that are free; more than the ring has if the reader claims what cannot be.
    std::size_t room() noexcept
    {
        if (written_ - read_ >= data_.size()) read_ = shared_.read.load(std::memory_order_acquire);
        return data_.size() - static_cast<std::size_t>(written_ - read_);
    }

    void put(bytes from) noexcept
    {
        const auto at = static_cast<std::size_t>(written_) & (data_.size() - 1);
        const auto first = std::min(from.size(), data_.size() - at);
        std::memcpy(data_.data() + at, from.data(), first);
        if (first < from.size())
            std::memcpy(data_.data(), from.data() + first, from.size() - first);
        written_ += from.size();
    }

    template <class Wake>
    void publish(const Wake& wake)
    {
        if (written_ == published_) return;
        published_ = written_;
        shared_.written.store(written_, std::memory_order_release);
        if (takes_back(shared_.reader_sleeps)) wake();
    }

    ring_state& shared_;
    mutable_bytes data_;
    std::uint64_t written_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t read_ = 0;  // as far as we know
};

/// The end that reads.
class ring_reader {
public:
    ring_reader(ring_state& shared, bytes data) noexcept : shared_(shared), data_(data) {}

    /// Fills `into` with what is there. `wake` is called when the writer sleeps and has room again.
    template <class Wake>
    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error,
                          const Wake& wake)
    {
        const auto before = read_;
        bool empty = false;  // more may come at any time: it belongs behind what is missing
        for (mutable_bytes room : into) {
            while (!room.empty() && !empty) {
                const auto there = available();
                if (there > data_.size()) error = errc::bad_message;
                empty = there == 0 || error;
                if (empty) break;
                const auto n = std::min({room.size(), there, ring_step});
                get(room.first(n));
                room = room.subspan(n);
                release(wake);
            }
        }
        return static_cast<std::size_t>(read_ - before);
    }

    /// Whether there is anything to read, or to complain about.
    bool worthwhile() noexcept
    {
        written_ = shared_.written.load(std::memory_order_acquire);
        return written_ != read_;
    }

    void sleeps(bool now) noexcept { tell(shared_.reader_sleeps, now); }

private:
    /// Bytes that are there; more than the ring has if the writer claims what cannot be.
    std::size_t available() noexcept
    {
        if (written_ == read_) written_ = shared_.written.load(std::memory_order_acquire);
        return static_cast<std::size_t>(written_ - read_);
    }

    void get(mutable_bytes into) noexcept
    {
        const auto at = static_cast<std::size_t>(read_) & (data_.size() - 1);
        const auto first = std::min(into.size(), data_.size() - at);
        std::memcpy(into.data(), data_.data() + at, first);
        if (first < into.size())
            std::memcpy(into.data() + first, data_.data(), into.size() - first);
        read_ += into.size();
    }

    template <class Wake>
    void release(const Wake& wake)
    {
        shared_.read.store(read_, std::memory_order_release);
        const bool half_free = written_ - read_ <= data_.size() / 2;
        if (half_free && takes_back(shared_.writer_sleeps)) wake();
    }

    ring_state& shared_;
    bytes data_;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;  // as far as we know
};

}  // namespace papilio::shm::detail
