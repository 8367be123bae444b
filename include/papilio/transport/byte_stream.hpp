#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/wire/hello.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

namespace papilio {

/// One of the ways between two peers: bytes arrive whole, in order, or not at all. For authors of
/// transports: a `mesh` turns it into messages. Reads and writes never wait; waiting holds no
/// buffer, so that dropping a task is always safe.
class byte_stream {
public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Fills `into` one after the other with what is there, and says how many bytes that was; zero
    /// when nothing is. An error is the end of the stream, after all that came before it.
    virtual std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) = 0;

    /// Takes as much of `from`, one after the other, as there is room for; zero when there is none.
    virtual std::size_t write_some(std::span<const bytes> from, std::error_code& error) = 0;

    /// Finish when it is worth trying again.
    virtual task<> readable() = 0;
    virtual task<> writable() = 0;

    /// What it runs over, in a word.
    virtual const char* kind() const = 0;

    /// How many streams like this one a link consists of.
    virtual std::uint32_t streams() const { return 1; }

    /// Both ends fail from now on; those who wait here are not woken.
    virtual void close() noexcept = 0;

    /// How long the other host has owed an acknowledgement; zero if it owes none, or cannot vanish
    /// by itself.
    virtual duration unacknowledged() { return {}; }

    /// Bytes that were written and of which the other host has not said that they are there.
    virtual std::uint64_t undelivered() { return 0; }

    /// The shortest time to the other host and back so far.
    virtual std::optional<duration> round_trip() { return std::nullopt; }
};

/// Somebody who wants to become a peer's other end, and may be a stranger. Destroying it turns
/// them away.
class caller {
public:
    caller() = default;
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;
    virtual ~caller() = default;

    /// Who they say they are. Throws when it is no hello.
    virtual task<wire::hello> hear() = 0;

    /// How many streams a link by this way consists of.
    virtual std::uint32_t streams() const = 0;

    /// Lets them in; once.
    virtual task<std::unique_ptr<byte_stream>> welcome() = 0;
};

}  // namespace papilio
