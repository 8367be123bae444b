#pragma once

#include <papilio/base/config.hpp>
#include <papilio/wire/hello.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// Tells the links between two peers apart, and the processes that they are between. Pure.
///
/// A process is known by a number, another one towards each peer: neither a stranger nor a third
/// peer knows it, so that nobody else can say a hello in its name.
class link_identity {
public:
    /// `own_process` is this process's number towards the peer.
    explicit link_identity(std::uint64_t own_process) noexcept : own_process_(own_process) {}

    /// Of the next link to the same process.
    link_identity next() const noexcept { return *this; }

    /// Of a link to any other process than that of this one.
    link_identity for_another_process() const noexcept
    {
        link_identity other(own_process_);
        other.attempts_ = attempts_;
        other.barred_ = process_ != 0 ? process_ : barred_;
        return other;
    }

    /// Which attempt of the dialling peer it was that made the link; 0: there is none yet.
    std::uint32_t generation() const noexcept { return generation_; }
    std::uint32_t next_attempt() noexcept { return ++attempts_; }

    /// The numbers of the peer's process, 0 before the first link, and of this one.
    std::uint64_t process() const noexcept { return process_; }
    std::uint64_t own_process() const noexcept { return own_process_; }

    /// Whether the link may be to that process.
    bool is_for(std::uint64_t process) const noexcept
    {
        return process != barred_ && (process_ == 0 || process == process_);
    }

    /// Whether the hello is from that process, and to this one.
    bool is_between(const wire::hello& h) const noexcept
    {
        return is_for(h.process) && (h.to_process == 0 || h.to_process == own_process_);
    }

    /// The link is made, by a hello of that generation.
    void made(std::uint32_t generation, std::uint64_t process) noexcept
    {
        generation_ = generation;
        process_ = process;
    }

private:
    std::uint32_t attempts_ = 0;
    std::uint32_t generation_ = 0;
    std::uint64_t process_ = 0;
    std::uint64_t own_process_;
    std::uint64_t barred_ = 0;  // was there before another one was admitted
};

}  // namespace papilio::detail
