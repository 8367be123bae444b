#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/shm/sealed_file.hpp>

#include <sys/mman.h>

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::shm::detail {

/// Memory of this process that others of its host may read: one file, of which a page is there from
/// its first use until it is given back. Mapped when it is first used. Lives as long as any piece
/// of it; used by one thread at a time.
class arena : public std::enable_shared_from_this<arena> {
public:
    explicit arena(std::size_t limit) : size_(limit / page * page) {}
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;

    /// What other processes map. Without a descriptor if there is none to give.
    const owned_fd& file()
    {
        if (std::exchange(tried_, true) || size_ == 0) return file_;
        try {
            file_ = make_sealed_file(size_);
        } catch (const std::system_error&) {
            // Nothing is lent then.
        }
        return file_;
    }

    /// Where bytes begin, if they are in it.
    std::optional<std::uint64_t> offset_of(bytes what) const
    {
        const auto first = reinterpret_cast<std::uintptr_t>(what.data());
        const auto begin = reinterpret_cast<std::uintptr_t>(mapped_ ? mapped_->data() : nullptr);
        if (!mapped_ || first < begin || first - begin >= size_) return std::nullopt;
        return first - begin;
    }

    /// A piece of it, full of zeros, which begins with a page. It is given back with the last copy
    /// of the pointer. Throws `std::bad_alloc` if there is none.
    std::shared_ptr<std::byte> allocate(std::size_t size)
    {
        const auto taken = take(size);
        return {mapped_->data() + taken.first,
                [self = shared_from_this(), taken](std::byte*) { self->give_back(taken); }};
    }

    class copy;

    /// A copy of `message`.
    std::shared_ptr<copy> copy_of(bytes message)
    {
        return std::make_shared<copy>(shared_from_this(), message);
    }

    /// The same one for all who ask, as long as one of them holds it: until then `message` must not
    /// change.
    std::shared_ptr<copy> shared_copy_of(bytes message);

private:
    using piece = std::pair<std::size_t, std::size_t>;  // begin and size, in whole pages
    using place = std::pair<const std::byte*, std::size_t>;
    using copies = std::map<place, std::weak_ptr<copy>>;  // by what they are of

    static constexpr std::size_t page = 4096;
    static constexpr std::size_t most_kept = std::size_t{8} << 20;

    static std::size_t whole_pages(std::size_t size)
    {
        const auto whole = (std::max<std::size_t>(size, 1) + page - 1) / page * page;
        if (whole < size) throw std::bad_alloc();
        return whole;
    }

    piece take(std::size_t size)
    {
        const auto whole = whole_pages(size);
        if (!mapped_) {
            if (file().get() < 0) throw std::bad_alloc();
            mapped_.emplace(file_, size_, PROT_READ | PROT_WRITE, MAP_NORESERVE);
            free_.emplace(0, size_);
        }
        const auto first = std::ranges::find_if(
            free_, [whole](const auto& available) { return available.second >= whole; });
        if (first == free_.end()) throw std::bad_alloc();
        const auto [begin, length] = *first;
        if (length > whole) free_.emplace(begin + whole, length - whole);
        free_.erase(first);
        return {begin, whole};
    }

    /// The system has the pages back at once: whoever maps them reads zeros from now on.
    void give_back(piece back)
    {
        auto [begin, size] = back;
        [[maybe_unused]] const int freed =
            ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(begin), static_cast<off_t>(size));
        const auto next = free_.lower_bound(begin);
        if (next != free_.begin())
            if (const auto before = std::prev(next); before->first + before->second == begin) {
                begin = before->first;
                size += before->second;
            }
        if (next != free_.end() && back.first + back.second == next->first) {
            size += next->second;
            free_.erase(next);
        }
        free_.insert_or_assign(begin, size);
    }

    /// For a copy, the one that was given back last: it is still in the cache.
    piece buffer(std::size_t size)
    {
        const auto whole = whole_pages(size);
        const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [whole](const piece& p) {
            return p.second >= whole && p.second <= 2 * whole;
        });
        if (found == kept_.rend()) return take(size);
        const auto last = *found;
        kept_.erase(std::prev(found.base()));
        bytes_kept_ -= last.second;
        return last;
    }
    void keep(piece back)
    {
        if (bytes_kept_ + back.second > most_kept) return give_back(back);
        kept_.push_back(back);
        bytes_kept_ += back.second;
    }

    std::size_t size_;
    bool tried_ = false;
    owned_fd file_;
    std::optional<mapping> mapped_;
    std::map<std::size_t, std::size_t> free_;  // sizes, by begin
    copies shared_;
    std::vector<piece> kept_;  // for copies
    std::size_t bytes_kept_ = 0;
};

/// A copy of a message in an arena, whose memory serves for other copies afterwards.
class arena::copy {
public:
    copy(std::shared_ptr<arena> in, bytes message)
        : in_(std::move(in)), piece_(in_->buffer(message.size())), shared_(in_->shared_.end())
    {
        std::memcpy(in_->mapped_->data() + piece_.first, message.data(), message.size());
    }
    copy(const copy&) = delete;
    copy& operator=(const copy&) = delete;
    ~copy()
    {
        if (shared_ != in_->shared_.end()) in_->shared_.erase(shared_);
        if (!lost_) in_->keep(piece_);
    }

    std::uint64_t offset() const noexcept { return piece_.first; }

    /// Somebody may read it at any time from now on: its memory serves for nothing else.
    void lose() noexcept { lost_ = true; }

private:
    friend class arena;

    std::shared_ptr<arena> in_;
    piece piece_;
    copies::iterator shared_;  // where it is known, if others may have it
    bool lost_ = false;
};

inline std::shared_ptr<arena::copy> arena::shared_copy_of(bytes message)
{
    const place of(message.data(), message.size());
    if (const auto known = shared_.find(of); known != shared_.end()) return known->second.lock();
    auto made = copy_of(message);
    made->shared_ = shared_.emplace(of, made).first;
    return made;
}

}  // namespace papilio::shm::detail
