#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/rate_limit.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// The rates that several streams share, one for each direction.
struct caps {
    caps(std::uint64_t up_bytes_per_second, std::uint64_t down_bytes_per_second) noexcept
        : up(up_bytes_per_second), down(down_bytes_per_second)
    {
    }
    rate_limit up;
    rate_limit down;
};

/// A stream that shares caps with others. Received bytes are delayed by reading later: then the
/// socket's buffer fills and the other side's system stops sending.
class capped_stream final : public byte_stream {
public:
    capped_stream(loop& on, std::unique_ptr<byte_stream> s, std::shared_ptr<caps> shared)
        : loop_(on), stream_(std::move(s)), caps_(std::move(shared))
    {
    }

    /// What it has reserved and not used is there for the others.
    ~capped_stream() override { return_all(); }

    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        const auto allowed = in_.allow(caps_->down, loop_.now());
        if (allowed == 0) return 0;
        std::array<mutable_bytes, max_pieces> pieces;
        const auto n = stream_->read_some(first(into, allowed, pieces), error);
        in_.use(n);
        if (n < allowed) in_.return_to(caps_->down);  // the next bytes may arrive much later
        return n;
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        const auto allowed = out_.allow(caps_->up, loop_.now());
        if (allowed == 0) return 0;
        std::array<bytes, max_pieces> pieces;
        const auto n = stream_->write_some(first(from, allowed, pieces), error);
        out_.use(n);
        if (n < allowed) out_.return_to(caps_->up);
        return n;
    }
    task<> readable() override
    {
        if (in_.due > loop_.now())
            co_await sleep_until(in_.due);
        else
            co_await stream_->readable();
    }
    task<> writable() override
    {
        if (out_.due > loop_.now())
            co_await sleep_until(out_.due);
        else
            co_await stream_->writable();
    }
    const char* kind() const override { return stream_->kind(); }
    std::uint32_t streams() const override { return stream_->streams(); }
    wire::content_check content_check() const override { return stream_->content_check(); }
    void close() noexcept override
    {
        return_all();
        stream_->close();
    }
    duration unacknowledged() override { return stream_->unacknowledged(); }
    std::uint64_t undelivered() override { return stream_->undelivered(); }
    std::optional<duration> round_trip() override { return stream_->round_trip(); }

private:
    static constexpr std::size_t max_pieces = 24;

    /// Bytes that one direction has reserved, and the time from which it may use them.
    struct grant {
        std::size_t allow(rate_limit& limit, time_point now) noexcept
        {
            if (left == 0) {
                left = limit.turn();
                due = limit.reserve(left, now);
            }
            return due <= now ? left : 0;
        }
        void use(std::size_t n) noexcept { left -= n; }
        void return_to(rate_limit& limit) noexcept { limit.give_back(std::exchange(left, 0)); }

        std::size_t left = 0;
        time_point due{};
    };

    void return_all() noexcept
    {
        in_.return_to(caps_->down);
        out_.return_to(caps_->up);
    }

    /// The first `limit` bytes of `pieces`.
    template <class Piece>
    static std::span<const Piece> first(std::span<const Piece> pieces, std::size_t limit,
                                        std::array<Piece, max_pieces>& to)
    {
        std::size_t used = 0;
        for (; used < std::min(pieces.size(), max_pieces) && limit > 0; ++used) {
            to[used] = pieces[used].first(std::min(pieces[used].size(), limit));
            limit -= to[used].size();
        }
        return std::span<const Piece>(to).first(used);
    }

    loop& loop_;
    std::unique_ptr<byte_stream> stream_;
    std::shared_ptr<caps> caps_;
    grant in_;
    grant out_;
};

}  // namespace papilio::detail
