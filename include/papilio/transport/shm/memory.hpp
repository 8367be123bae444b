#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/shm/ring.hpp>
#include <papilio/transport/shm/sealed_file.hpp>
#include <papilio/wire/loan.hpp>

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::shm::detail {

/// What is lent in one direction: a slot holds the number of a loan until it is taken back.
using loan_states = std::array<std::atomic<std::uint64_t>, wire::max_loans>;

/// Maps two rings, one for each direction, in an anonymous memory file, and the states of loans.
class ring_memory {
public:
    /// `ring_bytes` must be a power of two and a multiple of the page size. All pages are touched
    /// now, so that the first messages need not wait for them.
    ring_memory(const owned_fd& file, std::size_t ring_bytes)
        : ring_bytes_(ring_bytes),
          at_(std::make_shared<mapping>(file, size_for(ring_bytes), PROT_READ | PROT_WRITE,
                                        MAP_POPULATE))
    {
    }

    static owned_fd make(std::size_t ring_bytes) { return make_sealed_file(size_for(ring_bytes)); }

    /// Throws `errc::refused` unless `file`, which an unauthenticated process sent, is like one
    /// from `make`.
    static void check(const owned_fd& file, std::size_t ring_bytes)
    {
        if (size_of_sealed(file) != size_for(ring_bytes))
            throw std::system_error(
                errc::refused, "expected sealed shared memory of " +
                                   std::to_string(size_for(ring_bytes)) +
                                   " bytes, as for ring_bytes = " + std::to_string(ring_bytes));
    }

    /// The side that made the memory writes ring 0, the other side ring 1.
    ring_writer writer(int ring) noexcept { return {state(ring), data(ring)}; }
    ring_reader reader(int ring) noexcept { return {state(ring), data(ring)}; }

    /// Of what the side that writes this ring lends. Valid as long as `held` lives.
    loan_states& loans(int ring) noexcept
    {
        return reinterpret_cast<loan_states*>(at_->data() + 1024)[ring];
    }
    std::shared_ptr<const void> held() const noexcept { return at_; }

private:
    static constexpr std::size_t header = 4096;
    static_assert(2 * sizeof(ring_state) <= 1024 && 1024 + 2 * sizeof(loan_states) <= header);

    static constexpr std::size_t size_for(std::size_t ring_bytes) noexcept
    {
        return header + 2 * ring_bytes;
    }

    ring_state& state(int ring) noexcept
    {
        return reinterpret_cast<ring_state*>(at_->data())[ring];
    }
    mutable_bytes data(int ring) noexcept
    {
        const auto begin = header + static_cast<std::size_t>(ring) * ring_bytes_;
        return {at_->data() + begin, ring_bytes_};
    }

    std::size_t ring_bytes_;
    std::shared_ptr<mapping> at_;
};

}  // namespace papilio::shm::detail
