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

    /// Which attempt of the dialling peer it was that made the link; 0: there is none yet.
    std::uint32_t generation() const noexcept { return generation_; }
    std::uint32_t next_attempt() noexcept { return ++attempts_; }

    /// The numbers of the peer's process, 0 before the first link, and of this one.
    std::uint64_t process() const noexcept { return process_; }
    std::uint64_t own_process() const noexcept { return own_process_; }

    /// The host of the peer's process, by a number of the group's; 0: not known, or none yet.
    std::uint64_t host() const noexcept { return host_; }

    /// Whether the link may be to that process.
    bool is_for(std::uint64_t process) const noexcept
    {
        return process_ == 0 || process == process_;
    }

    /// Whether the hello, which `is_between` the two, is for a link after this one. While this one
    /// stands, only who knows our number may say so: a peer that knows none has never had it.
    bool is_followed_by(const wire::hello& h, bool ended) const noexcept
    {
        return h.generation > generation_ && (ended || h.to_process == own_process_);
    }

    /// Whether the hello is from that process, and to this one.
    bool is_between(const wire::hello& h) const noexcept
    {
        return is_for(h.process) && (h.to_process == 0 || h.to_process == own_process_);
    }

    /// The link is made, by a hello of that generation.
    void made(std::uint32_t generation, std::uint64_t process, std::uint64_t host) noexcept
    {
        generation_ = generation;
        process_ = process;
        host_ = host;
    }

private:
    std::uint32_t attempts_ = 0;
    std::uint32_t generation_ = 0;
    std::uint64_t process_ = 0;
    std::uint64_t host_ = 0;
    std::uint64_t own_process_;
};

}  // namespace papilio::detail
