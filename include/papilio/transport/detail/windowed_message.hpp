#pragma once

#include <papilio/base/config.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// A message that a `send_window` lets pass, or has wait. It stays where it is from `admits` until
/// it is sent or forgotten. These functions are called by the window, and must not call it.
class windowed_message {
public:
    windowed_message(tag t, std::size_t size) noexcept : tag_(t), size_(size) {}
    windowed_message(const windowed_message&) = delete;
    windowed_message& operator=(const windowed_message&) = delete;

    bool waits() const noexcept { return state_ == state::waits; }

protected:
    ~windowed_message() = default;

private:
    friend class send_window;

    enum class state { apart, fits, waits, granted };

    /// Sends a frame about this message, in order with the messages under its tag.
    virtual void tell(const wire::flow& f) = 0;

    /// It may be sent, and takes its place in the order of its tag before this returns.
    virtual void permitted() = 0;

    /// It is not to be sent: the receiver would discard it, or the link has failed with `why`.
    virtual void ended(std::error_code why) = 0;

    tag tag_;
    std::size_t size_;
    state state_ = state::apart;
    std::uint64_t number_ = 0;             // of its announcement that has not ended, or 0
    std::shared_ptr<std::uint64_t> cost_;  // if it went early after it had been announced
};

}  // namespace papilio::detail
