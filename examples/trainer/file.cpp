#include "file.hpp"

#include "problem.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

namespace papilio::example {

file::file(std::filesystem::path path, mode how)
    : path_(std::move(path)),
      descriptor_(how == mode::read
                      ? ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                      : ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666))
{
    if (descriptor_ < 0)
        throw_system_problem(
            errno, (how == mode::read ? "cannot open " : "cannot create ") + path_.string());
}

file::~file()
{
    ::close(descriptor_);
}

std::uint64_t file::size() const
{
    struct stat about {};
    if (::fstat(descriptor_, &about) != 0)
        throw_system_problem(errno, "cannot inspect " + path_.string());
    if (!S_ISREG(about.st_mode))
        throw problem(errc::bad_argument,
                      path_.string() +
                          " is no regular file, and is to be read in any order, more than once: "
                          "write its content to a file, and name that");
    return static_cast<std::uint64_t>(about.st_size);
}

void file::read(std::uint64_t offset, mutable_bytes into) const
{
    while (!into.empty()) {
        const ssize_t got =
            ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw_system_problem(errno, "cannot read " + path_.string());
        if (got == 0)
            throw problem(errc::bad_message, path_.string() + " ends at byte " +
                                                 std::to_string(offset) +
                                                 ", before what it should hold");
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

void file::write(bytes data)
{
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    if (write_to(descriptor_, text) < text.size())
        throw_system_problem(errno, "cannot write " + path_.string());
}

void file::sync()
{
    if (::fsync(descriptor_) != 0)
        throw_system_problem(errno, "cannot save " + path_.string() + " to the disk");
}

std::size_t write_to(int descriptor, std::string_view text)
{
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t put = ::write(descriptor, text.data() + done, text.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) break;
        done += static_cast<std::size_t>(put);
    }
    return done;
}

void write_atomically(const std::filesystem::path& path, std::string_view content)
{
    const auto temporary = path.parent_path() / ("." + path.filename().string());
    errno = 0;
    std::ofstream written(temporary);
    written << content;
    written.close();
    if (!written) throw_system_problem(errno, "cannot write " + path.string());
    std::filesystem::rename(temporary, path);
}

void sync_directory(const std::filesystem::path& directory)
{
    file(directory, file::mode::read).sync();
}

}  // namespace papilio::example
