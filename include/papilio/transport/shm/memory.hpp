#pragma once

#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/shm/ring.hpp>

#include <linux/magic.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::shm::detail {

using papilio::detail::owned_fd;

[[noreturn]] inline void throw_errno(const char* what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

/// Maps two rings, one for each direction, in an anonymous memory file: the system frees it with
/// the last process that holds it, however that process ends.
class ring_memory {
public:
    /// `ring_bytes` must be a power of two and a multiple of the page size. All pages are touched
    /// now, so that the first messages need not wait for them.
    ring_memory(const owned_fd& file, std::size_t ring_bytes)
        : ring_bytes_(ring_bytes),
          at_(::mmap(nullptr, size_for(ring_bytes), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_POPULATE, file.get(), 0))
    {
        if (at_ == MAP_FAILED) throw_errno("cannot map shared memory");
    }
    ring_memory(ring_memory&& other) noexcept
        : ring_bytes_(other.ring_bytes_), at_(std::exchange(other.at_, MAP_FAILED))
    {
    }
    ring_memory& operator=(ring_memory&&) = delete;
    ~ring_memory()
    {
        if (at_ != MAP_FAILED) ::munmap(at_, size_for(ring_bytes_));
    }

    /// Makes new memory, full of zeros. It is sealed against resizing, so that access to a mapping
    /// never fails.
    static owned_fd make(std::size_t ring_bytes)
    {
        owned_fd file(::memfd_create("papilio", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        if (file.get() < 0 || ::ftruncate(file.get(), to_offset(size_for(ring_bytes))) != 0)
            throw_errno("cannot make shared memory");
        if (::fcntl(file.get(), F_ADD_SEALS, seals | F_SEAL_SEAL) != 0)
            throw_errno("cannot seal shared memory");
        return file;
    }

    /// Throws `errc::refused` unless `file`, which an unauthenticated process sent, is like one
    /// from `make`: of the right size, sealed, and of ordinary pages, whose access never fails.
    static void check(const owned_fd& file, std::size_t ring_bytes)
    {
        struct stat state {};
        struct statfs system {};
        const int held = file.get() < 0 ? -1 : ::fcntl(file.get(), F_GET_SEALS);
        const bool good = held >= 0 && (held & seals) == seals &&
                          ::fstat(file.get(), &state) == 0 &&
                          state.st_size == to_offset(size_for(ring_bytes)) &&
                          ::fstatfs(file.get(), &system) == 0 && system.f_type == TMPFS_MAGIC;
        if (!good)
            throw std::system_error(
                errc::refused, "expected sealed shared memory of " +
                                   std::to_string(size_for(ring_bytes)) +
                                   " bytes, as for ring_bytes = " + std::to_string(ring_bytes));
    }

    /// The side that made the memory writes ring 0, the other side ring 1.
    ring_writer writer(int ring) noexcept { return {state(ring), data(ring)}; }
    ring_reader reader(int ring) noexcept { return {state(ring), data(ring)}; }

private:
    static constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW;
    static constexpr std::size_t header = 4096;

    static constexpr std::size_t size_for(std::size_t ring_bytes) noexcept
    {
        return header + 2 * ring_bytes;
    }
    static constexpr off_t to_offset(std::size_t size) noexcept { return static_cast<off_t>(size); }

    ring_state& state(int ring) noexcept { return static_cast<ring_state*>(at_)[ring]; }
    mutable_bytes data(int ring) noexcept
    {
        const auto begin = header + static_cast<std::size_t>(ring) * ring_bytes_;
        return {static_cast<std::byte*>(at_) + begin, ring_bytes_};
    }

    std::size_t ring_bytes_;
    void* at_;
};

}  // namespace papilio::shm::detail
