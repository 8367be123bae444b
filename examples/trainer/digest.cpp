#include "digest.hpp"

#include <papilio/base/check.hpp>

#include <openssl/evp.h>

#include <array>
#include <string_view>

namespace papilio::example {

struct sha256::context {
    EVP_MD_CTX* openssl = EVP_MD_CTX_new();

    context() = default;
    ~context() { EVP_MD_CTX_free(openssl); }
    context(const context&) = delete;
    context& operator=(const context&) = delete;
};

sha256::sha256() : context_(std::make_unique<context>())
{
    PAPILIO_CHECK(EVP_DigestInit_ex(context_->openssl, EVP_sha256(), nullptr) == 1,
                  "OpenSSL must know SHA-256");
}

sha256::~sha256() = default;

void sha256::update(bytes piece)
{
    PAPILIO_CHECK(EVP_DigestUpdate(context_->openssl, piece.data(), piece.size()) == 1,
                  "SHA-256 must take any bytes before it is finished");
}

std::string sha256::hex()
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, 32> digest{};
    PAPILIO_CHECK(EVP_DigestFinal_ex(context_->openssl, digest.data(), nullptr) == 1,
                  "a SHA-256 must be finished once only");
    std::string text;
    for (const unsigned byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string sha256_hex(bytes data)
{
    sha256 digest;
    digest.update(data);
    return digest.hex();
}

}  // namespace papilio::example
