#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace papilio::inline PAPILIO_MODE::shm {

/// Owns memory that peers of the same host read where it lies: calls over the transport that made
/// it copy nothing from here to send it. It begins as zeros, and with a page. It may outlive the
/// transport, and belongs to its thread; free it when no call uses it any more.
class allocated_memory {
public:
    allocated_memory() = default;
    allocated_memory(std::shared_ptr<std::byte> owner, mutable_bytes all) noexcept
        : owner_(std::move(owner)), all_(all)
    {
    }
    allocated_memory(allocated_memory&& from) noexcept
        : owner_(std::move(from.owner_)), all_(std::exchange(from.all_, {}))
    {
    }
    allocated_memory& operator=(allocated_memory&& from) noexcept
    {
        owner_ = std::move(from.owner_);
        all_ = std::exchange(from.all_, {});
        return *this;
    }

    mutable_bytes get() const noexcept { return all_; }

    /// As many elements as fit.
    template <element T>
    std::span<T> as() const noexcept
    {
        return {reinterpret_cast<T*>(all_.data()), all_.size() / sizeof(T)};
    }

private:
    std::shared_ptr<std::byte> owner_;
    mutable_bytes all_;
};

}  // namespace papilio::shm
