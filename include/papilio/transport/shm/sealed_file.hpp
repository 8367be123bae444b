#pragma once

#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/base/config.hpp>

#include <linux/magic.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

// Anonymous memory files that cannot change their size, so that access to a mapping never fails.
// The system frees one with the last process that holds it, however that process ends.
namespace papilio::inline PAPILIO_MODE::shm::detail {

using papilio::detail::owned_fd;

inline constexpr int size_seals = F_SEAL_SHRINK | F_SEAL_GROW;

[[noreturn]] inline void throw_errno(const char* what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

/// Makes one, full of zeros, which takes memory only as its pages are used.
inline owned_fd make_sealed_file(std::size_t size)
{
    owned_fd file(::memfd_create("papilio", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (file.get() < 0 || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
        throw_errno("cannot make shared memory");
    if (::fcntl(file.get(), F_ADD_SEALS, size_seals | F_SEAL_SEAL) != 0)
        throw_errno("cannot seal shared memory");
    return file;
}

/// The size of a file that another process has sent, if it is like one from `make_sealed_file`:
/// sealed, and of ordinary pages, whose access never fails. Else 0.
inline std::size_t size_of_sealed(const owned_fd& file)
{
    struct stat state {};
    struct statfs system {};
    const int held = file.get() < 0 ? -1 : ::fcntl(file.get(), F_GET_SEALS);
    const bool good = held >= 0 && (held & size_seals) == size_seals &&
                      ::fstat(file.get(), &state) == 0 && state.st_size > 0 &&
                      ::fstatfs(file.get(), &system) == 0 && system.f_type == TMPFS_MAGIC;
    return good ? static_cast<std::size_t>(state.st_size) : 0;
}

/// A mapping of a file, which ends with this object.
class mapping {
public:
    /// Throws the system's error.
    mapping(const owned_fd& file, std::size_t size, int protection, int flags)
        : at_(::mmap(nullptr, size, protection, MAP_SHARED | flags, file.get(), 0)), size_(size)
    {
        if (at_ == MAP_FAILED) throw_errno("cannot map shared memory");
    }
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping() { ::munmap(at_, size_); }

    std::byte* data() const noexcept { return static_cast<std::byte*>(at_); }
    std::size_t size() const noexcept { return size_; }

private:
    void* at_;
    std::size_t size_;
};

}  // namespace papilio::shm::detail
