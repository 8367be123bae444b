#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/key_file.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

class open_file {
public:
    explicit open_file(int file) noexcept : file_(file) {}
    ~open_file()
    {
        if (file_ >= 0) ::close(file_);
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    int get() const noexcept { return file_; }
    int release() noexcept { return std::exchange(file_, -1); }

private:
    int file_;
};

/// What the system has just said, about `path`.
inline std::system_error key_file_failure(const std::string& what, const std::string& path)
{
    return {errno, std::generic_category(), "cannot " + what + " the key file " + path};
}

inline std::system_error key_file_refused(const std::string& path, const std::string& why)
{
    return {errc::bad_argument, "the key file " + path + " " + why};
}

/// Opens the file and looks at what was opened: a path may name another file a moment later.
inline int open_key_file(const std::string& path)
{
    // Without O_NONBLOCK a pipe would wait here for somebody who writes.
    open_file file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0 && errno == ELOOP)
        throw key_file_refused(path, "is a link: name the file itself");
    if (file.get() < 0) throw key_file_failure("open", path);
    struct stat is = {};
    if (::fstat(file.get(), &is) != 0) throw key_file_failure("look at", path);
    if (!S_ISREG(is.st_mode)) throw key_file_refused(path, "is no plain file");
    if (is.st_uid != ::geteuid())
        throw key_file_refused(path, "belongs to another user: use a key of your own");
    if ((is.st_mode & 077) != 0)
        throw key_file_refused(path, "is open to others, who may have read it: chmod 600 " + path +
                                         ", and make a new key if this machine has other users");
    if (is.st_size > static_cast<off_t>(max_key_file))
        throw key_file_refused(path, "is larger than 4 KiB: it holds no key");
    return file.release();
}

inline void write_all(int file, std::string_view text, const std::string& path)
{
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw key_file_failure("write", path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

inline std::string folder_of(const std::string& path)
{
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// A file under a name that nobody else has, which is removed at the end.
class temporary_file {
public:
    explicit temporary_file(const std::string& beside)
        : name_(beside + ".XXXXXX"), file_(::mkostemp(name_.data(), O_CLOEXEC))
    {
        if (file_.get() < 0) throw key_file_failure("create", beside);
    }
    ~temporary_file() { ::unlink(name_.c_str()); }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    int get() const noexcept { return file_.get(); }
    const char* name() const noexcept { return name_.c_str(); }

private:
    std::string name_;
    open_file file_;  // mode 600
};

}  // namespace detail

PAPILIO_DECL secret_text::secret_text(std::string_view text) : secret_text(text.size())
{
    text.copy(data(), text.size());
}

PAPILIO_DECL secret_text::~secret_text()
{
    if (text_) ::explicit_bzero(text_.get(), size_);
}

PAPILIO_DECL secret_text::secret_text(secret_text&& other) noexcept
    : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0))
{
}

PAPILIO_DECL secret_text& secret_text::operator=(secret_text&& other) noexcept
{
    std::swap(text_, other.text_);
    std::swap(size_, other.size_);
    return *this;
}

PAPILIO_DECL secret_text read_key_file(const std::string& path)
{
    const detail::open_file file(detail::open_key_file(path));
    secret_text text(max_key_file);
    std::size_t size = 0;
    while (size < max_key_file) {
        const auto got = ::read(file.get(), text.data() + size, max_key_file - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw detail::key_file_failure("read", path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.shorten(size);
    return text;
}

PAPILIO_DECL bool create_key_file(const std::string& path, std::string_view text)
{
    const detail::temporary_file file(path);
    detail::write_all(file.get(), text, path);
    if (::fsync(file.get()) != 0) throw detail::key_file_failure("write", path);
    // In contrast to `rename`, `link` never takes the place of a file. Not all file systems have
    // it.
    bool made = ::link(file.name(), path.c_str()) == 0;
    if (!made && errno != EEXIST)
        made = ::renameat2(AT_FDCWD, file.name(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0;
    if (!made && errno == EEXIST) return false;
    if (!made) throw detail::key_file_failure("create", path);
    const detail::open_file folder(
        ::open(detail::folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Not all folders can be opened, or written out one by one. The file is there all the same.
    if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno == EIO)
        throw detail::key_file_failure("keep", path);
    return true;
}

}  // namespace papilio
