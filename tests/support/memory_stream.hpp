#pragma once

// Streams of bytes between two ends on one loop, real or simulated.

#include <papilio/async/gate.hpp>
#include <papilio/transport/byte_stream.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

namespace papilio::test {

/// One end. Holds at most `output` bytes that have not been read.
class memory_stream final : public byte_stream {
public:
    struct line {
        std::deque<std::byte> held;
        gate filled;
        gate emptied;
        bool closed = false;
    };

    memory_stream(std::shared_ptr<line> in, std::shared_ptr<line> out, std::size_t output)
        : in_(std::move(in)), out_(std::move(out)), room_(output)
    {
    }
    ~memory_stream() override { memory_stream::close(); }

    std::size_t read_some(std::span<const mutable_bytes> into, std::error_code& error) override
    {
        std::size_t all = 0;
        for (const auto& piece : into) {
            const auto n = std::min(piece.size(), in_->held.size());
            const auto end = in_->held.begin() + static_cast<std::ptrdiff_t>(n);
            std::copy(in_->held.begin(), end, piece.begin());
            in_->held.erase(in_->held.begin(), end);
            all += n;
        }
        if (all > 0) in_->emptied.open();
        if (all == 0 && in_->closed) error = errc::disconnected;
        return all;
    }
    std::size_t write_some(std::span<const bytes> from, std::error_code& error) override
    {
        if (out_->closed) error = errc::disconnected;
        std::size_t all = 0;
        for (const auto& piece : from) {
            const auto n = std::min(piece.size(), room_ - out_->held.size());
            out_->held.insert(out_->held.end(), piece.begin(),
                              piece.begin() + static_cast<std::ptrdiff_t>(n));
            all += n;
        }
        if (all > 0) out_->filled.open();
        return all;
    }
    task<> readable() override
    {
        if (!in_->held.empty() || in_->closed) co_return;
        in_->filled.close();
        co_await in_->filled.opened();
    }
    task<> writable() override
    {
        if (out_->held.size() < room_ || out_->closed) co_return;
        out_->emptied.close();
        co_await out_->emptied.opened();
    }
    const char* kind() const override { return "memory"; }
    void close() noexcept override
    {
        for (auto* l : {in_.get(), out_.get()}) {
            l->closed = true;
            l->filled.open();
            l->emptied.open();
        }
    }

private:
    std::shared_ptr<line> in_;
    std::shared_ptr<line> out_;
    std::size_t room_;
};

inline std::pair<std::unique_ptr<byte_stream>, std::unique_ptr<byte_stream>> make_memory_streams(
    std::size_t output = 4096)
{
    auto there = std::make_shared<memory_stream::line>();
    auto back = std::make_shared<memory_stream::line>();
    return {std::make_unique<memory_stream>(back, there, output),
            std::make_unique<memory_stream>(there, back, output)};
}

}  // namespace papilio::test
