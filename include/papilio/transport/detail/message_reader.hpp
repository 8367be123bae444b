#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Puts the next message of a channel together from a stream of bytes. Pure: its owner reads into
/// `buffer` until that is empty. Keeps what has been read when the owner stops half-way.
class message_reader {
public:
    /// Where the next bytes of the stream belong; empty once the message is complete. Throws,
    /// before the message is allocated, `errc::bad_message` when the stream holds no frame of a
    /// channel, and `errc::too_large` when the message is longer than `limit`; and
    /// `errc::corrupted` when it is not what was sent.
    mutable_bytes buffer(std::size_t limit)
    {
        if (read_ < head_.size()) return mutable_bytes(head_).subspan(read_);
        if (!allocated_) {
            body_.resize(parse_size(limit));
            allocated_ = true;
        }
        const auto of_body = read_ - head_.size();
        if (of_body < body_.size()) return mutable_bytes(body_).subspan(of_body);
        const auto behind = wire::check_size(wire::content_check::crc32c, body_.size());
        const auto rest = mutable_bytes(crc_).first(behind).subspan(of_body - body_.size());
        if (rest.empty() && behind > 0) check_content();
        return rest;
    }

    /// `n` bytes have been read into `buffer`.
    void received(std::size_t n) noexcept { read_ += n; }

    /// The complete message. After it comes the next one.
    std::vector<std::byte> take() noexcept
    {
        read_ = 0;
        allocated_ = false;
        return std::exchange(body_, {});
    }

private:
    std::size_t parse_size(std::size_t limit) const
    {
        const auto next = wire::parse_frame(head_.data());
        if (next.what != tag{})
            throw std::system_error(errc::bad_message,
                                    "a channel's frames have tag 0, this one has " +
                                        std::to_string(static_cast<std::uint64_t>(next.what)));
        if (next.size > limit)
            throw std::system_error(errc::too_large, "a message of " + std::to_string(next.size) +
                                                         " bytes exceeds the limit of " +
                                                         std::to_string(limit) + " bytes");
        return next.size;
    }

    void check_content() const
    {
        if (load<std::uint32_t>(crc_.data()) == crc32c(body_)) return;
        throw std::system_error(errc::corrupted,
                                "a message of " + std::to_string(body_.size()) +
                                    " bytes has another CRC-32C than it was sent with");
    }

    std::array<std::byte, wire::frame::encoded_size> head_{};
    std::vector<std::byte> body_;
    std::array<std::byte, 4> crc_{};
    bool allocated_ = false;
    std::size_t read_ = 0;  // bytes of head, body and CRC
};

}  // namespace papilio::detail
