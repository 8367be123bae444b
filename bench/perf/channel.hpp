#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::perf {

/// The kinds of messages between the coordinator and the peers of a worker group.
enum class message_kind : std::uint8_t {
    hello,     ///< from a peer: its rank
    task,      ///< from the coordinator: a job
    exchange,  ///< from each peer: a text; the answer: the texts of all peers
    meeting,   ///< from each peer: it has arrived; the answer: all peers have arrived
    outcome,   ///< from a peer: the outcome of a job
    failure,   ///< from a peer: the reason of a failure; the peer then ends
};

struct message {
    message_kind kind = message_kind::hello;
    std::string content;
};

/// One end of a stream socket that carries messages. It owns the socket.
class channel {
public:
    explicit channel(int socket) : socket_(socket) {}
    channel(channel&& from) noexcept;
    channel& operator=(channel&& from) noexcept;
    ~channel();

    int descriptor() const noexcept { return socket_; }

    /// Sends a message. Throws `std::system_error` if the other end is closed.
    void send(message_kind kind, const std::string& content = {});

    /// Waits for a message. Returns nothing if the other end is closed. Throws `std::system_error`
    /// if a signal interrupts the wait.
    std::optional<message> receive();

private:
    bool read_all(void* into, std::size_t size);

    int socket_;
};

/// Two connected channels.
std::pair<channel, channel> joined_channels();

/// Packs texts into one text, and unpacks them.
std::string pack(const std::vector<std::string>& texts);
std::vector<std::string> unpack(const std::string& packed);

}  // namespace papilio::perf
