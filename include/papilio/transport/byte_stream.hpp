#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/hello.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
struct lending;
}

/// One connection between two peers: a reliable, ordered stream of bytes. For authors of
/// transports: a `mesh` turns it into messages. Reads and writes never wait; waiting holds no
/// buffer, so that dropping a task is always safe.
class byte_stream {
public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Reads what has arrived into the buffers of `into`, in their order, and returns the number
    /// of bytes; zero when nothing has arrived. An error is the end of the stream, and is reported
    /// only after all bytes before it have been read.
    virtual std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) = 0;

    /// Writes as much of the buffers of `from`, in their order, as the stream has space for, and
    /// returns the number of bytes; zero when there is no space.
    virtual std::size_t write_some(std::span<const bytes> from, std::error_code& error) = 0;

    /// Finishes when `read_some` is worth another try.
    virtual task<> readable() = 0;

    /// Finishes when `write_some` is worth another try.
    virtual task<> writable() = 0;

    /// The kind of connection in one word, such as "tcp".
    virtual const char* kind() const = 0;

    /// How many such streams a link consists of.
    virtual std::uint32_t streams() const { return 1; }

    /// What follows the content of frames on it: nothing, where bytes cannot change on their way,
    /// or the other end does not want it.
    virtual wire::content_check content_check() const { return wire::content_check::none; }

    /// How messages can be lent over it; null where the ends do not reach each other's memory.
    virtual detail::lending* lending() noexcept { return nullptr; }

    /// Reads and writes fail from now on, at both ends. Tasks that wait at this end need not be
    /// woken.
    virtual void close() noexcept = 0;

    /// For how long data has been waiting for the other host's acknowledgement; zero if none
    /// waits, or if the other end cannot fail without this host noticing.
    virtual duration unacknowledged() { return {}; }

    /// Bytes that were written and that the other host has not acknowledged.
    virtual std::uint64_t undelivered() { return 0; }

    /// The shortest round trip to the other host so far; empty if none has been measured.
    virtual std::optional<duration> round_trip() { return std::nullopt; }
};

/// An incoming connection that is not authenticated yet. Destroying it refuses the connection.
class incoming {
public:
    incoming() = default;
    incoming(const incoming&) = delete;
    incoming& operator=(const incoming&) = delete;
    virtual ~incoming() = default;

    /// Receives the hello: which peer and group the other side claims to be. Throws when the bytes
    /// are no hello.
    virtual task<wire::hello> read_hello() = 0;

    /// How many streams a link consists of that is accepted here.
    virtual std::uint32_t streams() const = 0;

    /// Sends the welcome of `process`, this one, on `host`, and completes the connection. At most
    /// once, after `read_hello`.
    virtual task<std::unique_ptr<byte_stream>> accept(std::uint64_t process,
                                                      std::uint64_t host) = 0;
};

/// A connection that was dialled and welcomed.
struct dialled {
    std::unique_ptr<byte_stream> stream;
    std::uint64_t process = 0;  ///< the other side's
    std::uint64_t host = 0;     ///< the other side's
};

}  // namespace papilio
