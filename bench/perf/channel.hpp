#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::perf {

/// What the coordinator and the peers of a worker group tell each other.
enum class word : std::uint8_t {
    hello,     ///< a peer's: its rank
    task,      ///< the coordinator's: a job
    exchange,  ///< a text from each, and then the texts of all
    meeting,   ///< "I am there", and then "everybody is"
    outcome,   ///< of a job
    failure,   ///< why the job failed; the peer ends
};

struct message {
    word what = word::hello;
    std::string content;
};

/// One end of a stream socket that carries messages. Owns it.
class channel {
public:
    explicit channel(int socket) : socket_(socket) {}
    channel(channel&& from) noexcept;
    channel& operator=(channel&& from) noexcept;
    ~channel();

    int descriptor() const noexcept { return socket_; }

    /// Throws `std::system_error` when the other end is gone.
    void say(word what, const std::string& content = {});

    /// Waits for a message; nothing when the other end has gone. Throws `std::system_error` when a
    /// signal comes in between.
    std::optional<message> hear();

private:
    bool read_all(void* into, std::size_t size);

    int socket_;
};

/// Two ends that are joined.
std::pair<channel, channel> joined_channels();

/// Texts, one after the other in one.
std::string pack(const std::vector<std::string>& texts);
std::vector<std::string> unpack(const std::string& packed);

}  // namespace papilio::perf
