#pragma once

#include <papilio/base/bytes.hpp>

#include <memory>
#include <string>

namespace papilio::example {

/// SHA-256 of bytes that arrive in pieces.
class sha256 {
public:
    sha256();
    ~sha256();
    sha256(const sha256&) = delete;
    sha256& operator=(const sha256&) = delete;

    void update(bytes piece);

    /// The digest as 64 hexadecimal digits. Call it once, last.
    std::string hex();

private:
    struct context;
    std::unique_ptr<context> context_;
};

/// SHA-256 of `data`, as 64 hexadecimal digits.
std::string sha256_hex(bytes data);

}  // namespace papilio::example
