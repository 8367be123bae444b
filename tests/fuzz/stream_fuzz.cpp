// Any bytes on a stream are messages or end it, whether contents are checked or not, and cut
// however.

#include <papilio/transport/detail/frame_reader.hpp>
#include <papilio/transport/detail/message_reader.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <system_error>

namespace pa = papilio;

namespace {

bool known(const std::error_code& why)
{
    return why == pa::errc::bad_message || why == pa::errc::too_large || why == pa::errc::corrupted;
}

/// Lends a little memory, and has taken back what has an even number.
struct lender final : pa::detail::borrower {
    pa::detail::lent_ptr borrow(const pa::wire::loan& l) override
    {
        if (l.offset > memory.size() || l.size > memory.size() - l.offset)
            throw std::system_error(pa::errc::bad_message);
        state = l.number | 1;
        return std::make_unique<pa::detail::lent_message>(
            pa::bytes(memory).subspan(l.offset, l.size), state, l.number, nullptr);
    }
    std::array<std::byte, 4096> memory{};
    std::atomic<std::uint64_t> state{0};
};

/// To the reader of a link, in pieces of at most `most` bytes.
void read_link(pa::bytes stream, std::size_t most, pa::wire::content_check check)
{
    lender lent;
    pa::mailbox box(1 << 16);
    pa::detail::frame_reader reader(box, 3, 1 << 15, check, &lent);
    while (!stream.empty()) {
        while (reader.parse() != pa::detail::frame_reader::status::needs_bytes) {
        }
        std::size_t n = 0;
        for (const auto into : reader.buffers()) {
            const auto part = stream.first(std::min({into.size(), stream.size(), most - n}));
            std::copy(part.begin(), part.end(), into.begin());
            stream = stream.subspan(part.size());
            n += part.size();
        }
        if (n == 0) std::abort();
        reader.received(n);
    }
}

/// To that of a channel.
void read_channel(pa::bytes stream, std::size_t most)
{
    pa::detail::message_reader reader;
    while (!stream.empty()) {
        const auto into = reader.buffer(1 << 15);
        if (into.empty()) {
            reader.take();
            continue;
        }
        const auto n = std::min({into.size(), stream.size(), most});
        std::copy_n(stream.begin(), n, into.begin());
        stream = stream.subspan(n);
        reader.received(n);
    }
}

template <class Read>
void expect_known_end(Read read)
{
    try {
        read();
    } catch (const std::system_error& end) {
        if (!known(end.code())) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1) return 0;
    const auto stream = std::as_bytes(std::span(data, size)).subspan(1);
    const std::size_t most = 1 + data[0];
    using enum pa::wire::content_check;
    expect_known_end([&] { read_link(stream, most, none); });
    expect_known_end([&] { read_link(stream, most, crc32c); });
    expect_known_end([&] { read_channel(stream, most); });
    return 0;
}
