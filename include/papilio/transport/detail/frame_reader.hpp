#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/inbound_message.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/detail/running_crc.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/loan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Splits the bytes of one stream into frames and passes their messages to a mailbox. Pure: its
/// owner reads into `buffers`, reports to `received` how many bytes came, and calls `parse` until
/// more are needed. Many small messages are read at once; of a large one, all but the first bytes
/// are read straight into the receiver's buffer.
class frame_reader {
public:
    enum class status {
        needs_bytes,    ///< read more, then parse again
        large_message,  ///< one is complete: let its receiver run before you parse again
        peer_shutdown,  ///< the peer sends no more messages; reported once
        flow,           ///< the peer says something about the flow of messages
    };

    /// A message of more than `max_message` bytes is an error, and one that is lent without `lent`,
    /// which gets at it.
    frame_reader(mailbox& inbox, int peer, std::size_t max_message,
                 wire::content_check check = wire::content_check::none, borrower* lent = nullptr)
        : inbox_(inbox), peer_(peer), max_message_(max_message), check_(check), lent_(lent)
    {
    }
    frame_reader(const frame_reader&) = delete;
    frame_reader& operator=(const frame_reader&) = delete;

    /// Takes the bytes that were received apart. Throws `errc::bad_message` when they are no frame
    /// or the peer sends more than it may, and `errc::too_large` beyond `max_message`; nothing
    /// is allocated before. Throws `errc::corrupted` when a message is not what its check says,
    /// before anybody has it. After an error the position in the stream is lost.
    status parse();

    /// What the peer said, after `status::flow`.
    const wire::flow& flow() const noexcept { return flow_; }

    /// Where the next bytes of the stream belong, in this order: the rest of the current message,
    /// then memory for frames. Valid until another task runs.
    std::array<mutable_bytes, 2> buffers();

    /// `n` bytes have been read into `buffers()`. Returns how many of them belong to the current
    /// message.
    std::size_t received(std::size_t n);

    /// True while part of a message is missing.
    bool in_message() const noexcept { return message_.has_value(); }

    /// The stream has ended: a receive whose message is incomplete fails.
    void abort() noexcept { message_.reset(); }

private:
    std::size_t buffered() const noexcept { return end_ - begin_; }
    mutable_bytes message_buffer();
    bool begin_message(const wire::frame& f);
    status parse_own(const wire::frame& frame);
    void check_message_size(std::size_t size) const;
    void take_loan(const wire::loan& l);
    void copy_buffered();
    void take_content(bytes next);
    bool finish_message();
    void check_content();
    std::system_error other_crc(std::size_t size) const;

    mailbox& inbox_;
    int peer_;
    std::size_t max_message_;
    wire::content_check check_;
    borrower* lent_;
    bool peer_shut_down_ = false;
    wire::flow flow_;

    // Frames, and the first bytes behind them: the messages of a small call come in one read each.
    std::array<std::byte, 8192> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;

    std::optional<inbound_message> message_;
    std::size_t message_size_ = 0;
    std::uint32_t crc_ = 0;             // of what has come of the message
    std::vector<std::byte> discarded_;  // receives bytes that are to be discarded
};

inline frame_reader::status frame_reader::parse()
{
    for (;;) {
        if (message_) {
            copy_buffered();
            if (!finish_message()) return status::needs_bytes;
            if (message_size_ > buffer_.size()) return status::large_message;
        }
        if (buffered() < wire::frame::encoded_size) return status::needs_bytes;
        const auto frame = wire::parse_frame(buffer_.data() + begin_);
        if (frame.what == wire::flow_tag || frame.what == wire::loan_tag) return parse_own(frame);
        begin_ += wire::frame::encoded_size;
        if (begin_message(frame)) return status::peer_shutdown;
    }
}

/// Begins a message, unless the frame is a control frame. True for the first shutdown.
inline bool frame_reader::begin_message(const wire::frame& frame)
{
    if (frame.what == wire::shutdown) return !std::exchange(peer_shut_down_, true);
    if (frame.what == wire::heartbeat) return false;
    check_message_size(frame.size);
    message_size_ = frame.size;
    crc_ = 0;
    message_.emplace(inbox_, peer_, frame.what, frame.size);
    return false;
}

inline void frame_reader::check_message_size(std::size_t size) const
{
    if (size <= max_message_) return;
    throw std::system_error(errc::too_large, "peer " + std::to_string(peer_) +
                                                 " sent a message of " + std::to_string(size) +
                                                 " bytes; max_message is " +
                                                 std::to_string(max_message_));
}

/// Takes a frame of the link's own, if all of it is there.
inline frame_reader::status frame_reader::parse_own(const wire::frame& frame)
{
    const bool is_flow = frame.what == wire::flow_tag;
    const std::size_t size = frame.size;
    if (size != (is_flow ? wire::flow::encoded_size : wire::loan::encoded_size))
        throw bad_value(errc::bad_message, "the size of a frame of the link's own", "24 or 32",
                        size);
    const auto behind = wire::check_size(check_, size);
    if (buffered() < wire::frame::encoded_size + size + behind) return status::needs_bytes;
    const auto content = bytes(buffer_).subspan(begin_ + wire::frame::encoded_size, size);
    begin_ += wire::frame::encoded_size + size;
    if (behind > 0 && load<std::uint32_t>(buffer_.data() + begin_) != crc32c(content))
        throw other_crc(size);
    begin_ += behind;
    if (is_flow)
        flow_ = wire::parse_flow(content);
    else
        take_loan(wire::parse_loan(content));
    return is_flow ? status::flow : status::large_message;
}

/// Early, it costs no more than the frame: its bytes stay with the sender.
inline void frame_reader::take_loan(const wire::loan& l)
{
    check_message_size(l.size);
    if (!lent_)
        throw std::system_error(errc::bad_message, "peer " + std::to_string(peer_) +
                                                       " lends a message, but no memory is shared");
    if (auto lent = lent_->borrow(l)) inbox_.deliver_lent(peer_, l.what, std::move(lent));
}

/// Passes the message on if it and what follows its content are complete.
inline bool frame_reader::finish_message()
{
    const auto behind = wire::check_size(check_, message_size_);
    if (message_->left() > 0 || buffered() < behind) return false;
    if (behind > 0) check_content();
    begin_ += behind;
    message_->finish();
    message_.reset();
    return true;
}

inline void frame_reader::check_content()
{
    if (load<std::uint32_t>(buffer_.data() + begin_) == crc_) return;
    message_->fail(errc::corrupted);
    throw other_crc(message_size_);
}

inline std::system_error frame_reader::other_crc(std::size_t size) const
{
    return {make_error_code(errc::corrupted), "a message of " + std::to_string(size) +
                                                  " bytes from peer " + std::to_string(peer_) +
                                                  " has another CRC-32C than it was sent with"};
}

/// The next bytes of the message have arrived; they are still in the processor's cache.
inline void frame_reader::take_content(bytes next)
{
    if (check_ == wire::content_check::crc32c) crc_ = crc32c(next, crc_);
    message_->advance(next.size());
}

/// The current message's destination, or memory for bytes that are to be discarded.
inline mutable_bytes frame_reader::message_buffer()
{
    const auto to = message_->destination();
    const bool checked = check_ != wire::content_check::none;
    if (!to.empty())
        return to.first(checked ? std::min(to.size(), running_crc::cached) : to.size());
    discarded_.resize(std::min(message_->left(), std::size_t{64} << 10));
    return discarded_;
}

inline void frame_reader::copy_buffered()
{
    while (message_->left() > 0 && buffered() > 0) {
        const auto to = message_buffer();
        const auto n = std::min(to.size(), buffered());
        std::memcpy(to.data(), buffer_.data() + begin_, n);  // ranges::copy goes byte by byte
        begin_ += n;
        take_content(to.first(n));
    }
}

inline std::array<mutable_bytes, 2> frame_reader::buffers()
{
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(begin_, 0);
    const auto rest = mutable_bytes(buffer_).subspan(end_);
    return {message_ ? message_buffer() : mutable_bytes{}, rest};
}

inline std::size_t frame_reader::received(std::size_t n)
{
    std::size_t of_message = 0;
    if (message_) {
        const auto buffer = message_buffer();
        of_message = std::min(n, buffer.size());
        take_content(buffer.first(of_message));
    }
    end_ += n - of_message;
    return of_message;
}

}  // namespace papilio::detail
