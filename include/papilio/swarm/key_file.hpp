#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

// Files that hold private keys: one user's, and nobody else's.
namespace papilio::inline PAPILIO_MODE {

/// Text that is overwritten when it is no longer needed, so that it does not stay in memory that
/// others get. It does not grow: no copy is left behind.
class secret_text {
public:
    explicit secret_text(std::size_t size) : text_(std::make_unique<char[]>(size)), size_(size) {}
    explicit secret_text(std::string_view text);
    ~secret_text();
    secret_text(secret_text&& other) noexcept;
    secret_text& operator=(secret_text&& other) noexcept;

    char* data() noexcept { return text_.get(); }
    std::string_view get() const noexcept { return {text_.get(), size_}; }
    void shorten(std::size_t size) noexcept { size_ = size; }

private:
    std::unique_ptr<char[]> text_;
    std::size_t size_;
};

/// A key's file is at most this large.
inline constexpr std::size_t max_key_file = 4096;

/// Reads the file at `path`. Throws `errc::bad_argument`, and says what to do, unless it is a plain
/// file (no link) of this user that others may neither read nor write, of at most 4 KiB; what the
/// system says, with the path, where it cannot be read.
secret_text read_key_file(const std::string& path);

/// Makes the file at `path`, which is there with all of `text` or not at all. False: there is one
/// already, which stays as it is. Throws what the system says, with the path. A process that is
/// killed in the midst of it may leave a file of the same name and six more characters.
bool create_key_file(const std::string& path, std::string_view text);

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/swarm/impl/key_file.hpp>
#endif
