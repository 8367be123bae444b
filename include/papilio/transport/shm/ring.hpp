#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

// A ring buffer in memory that two processes share, with one writer and one reader. Neither trusts
// the other: each keeps its own position in private memory, reads the other's position once and
// checks it. So whatever the other side does, no access leaves the ring; at worst, bytes are wrong.
namespace papilio::inline PAPILIO_MODE::shm::detail {

/// What both sides share beside the bytes. Starts as zeros. A side sets its flag before it sleeps;
/// the side that clears a flag must wake the other.
struct ring_state {
    alignas(64) std::atomic<std::uint64_t> written;  ///< bytes so far; stored by the writer
    alignas(64) std::atomic<std::uint64_t> read;     ///< bytes so far; stored by the reader
    alignas(64) std::atomic<std::uint32_t> reader_sleeps;
    std::atomic<std::uint32_t> writer_sleeps;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(ring_state) == 192);

/// Clears the other side's flag. True if it was set: then the caller must wake that side. Whatever
/// the other side is to find has been stored before.
inline bool clear_flag(std::atomic<std::uint32_t>& sleeps) noexcept
{
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return sleeps.load(std::memory_order_relaxed) != 0 && sleeps.exchange(0) != 0;
}

/// Sets or clears this side's own flag. After setting it, this side must check the ring once more
/// before it sleeps.
inline void set_flag(std::atomic<std::uint32_t>& sleeps, bool value) noexcept
{
    sleeps.store(value, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// The writer publishes its position after so many bytes, so that the reader can start on a long
/// message.
inline constexpr std::size_t ring_step = std::size_t{64} << 10;

/// The end that writes. The size of `data` must be a power of two.
class ring_writer {
public:
    ring_writer(ring_state& shared, mutable_bytes data) noexcept : shared_(shared), data_(data) {}

    /// Writes as much of `from` as there is space for, and returns the number of bytes. Calls
    /// `wake` if the reader sleeps. Fails with `errc::bad_message` if the reader's position is
    /// impossible.
    template <class Wake>
    std::size_t write_some(std::span<const bytes> from, std::error_code& error, const Wake& wake)
    {
        const auto before = written_;
        bool full =
            false;  // stays true: if the reader makes space now, a later piece must not use it
        for (bytes piece : from) {
            while (!piece.empty() && !full) {
                const auto free = space();
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

    /// True if half the ring is free, or if the reader's position is impossible: `write_some` then
    /// reports that.
    bool writable() noexcept
    {
        read_ = shared_.read.load(std::memory_order_acquire);
        return data_.size() - (written_ - read_) >= data_.size() / 2;
    }

    void sleeps(bool value) noexcept { set_flag(shared_.writer_sleeps, value); }

private:
    /// The bytes that are free; more than the ring's size if the reader's position is impossible.
    std::size_t space() noexcept
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
        if (clear_flag(shared_.reader_sleeps)) wake();
    }

    ring_state& shared_;
    mutable_bytes data_;
    std::uint64_t written_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t read_ = 0;  // the reader's position when it was last loaded
};

/// The end that reads.
class ring_reader {
public:
    ring_reader(ring_state& shared, bytes data) noexcept : shared_(shared), data_(data) {}

    /// Reads what is there into `into`, and returns the number of bytes. Calls `wake` if the writer
    /// sleeps and half the ring is free. Fails with `errc::bad_message` if the writer's position is
    /// impossible.
    template <class Wake>
    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error,
                          const Wake& wake)
    {
        const auto before = read_;
        bool empty = false;  // stays true: bytes that arrive now must not go to a later piece
        for (mutable_bytes piece : into) {
            while (!piece.empty() && !empty) {
                const auto there = available();
                if (there > data_.size()) error = errc::bad_message;
                empty = there == 0 || error;
                if (empty) break;
                const auto n = std::min({piece.size(), there, ring_step});
                get(piece.first(n));
                piece = piece.subspan(n);
                release(wake);
            }
        }
        return static_cast<std::size_t>(read_ - before);
    }

    /// True if there are bytes to read, or if the writer's position is impossible.
    bool readable() noexcept
    {
        written_ = shared_.written.load(std::memory_order_acquire);
        return written_ != read_;
    }

    void sleeps(bool value) noexcept { set_flag(shared_.reader_sleeps, value); }

private:
    /// The bytes to read; more than the ring's size if the writer's position is impossible.
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
        if (half_free && clear_flag(shared_.writer_sleeps)) wake();
    }

    ring_state& shared_;
    bytes data_;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;  // the writer's position when it was last loaded
};

}  // namespace papilio::shm::detail
