#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/public_key.hpp>
#include <papilio/swarm/key_file.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

// Ed25519 (RFC 8032) by OpenSSL 3, whose headers this one brings. Link OpenSSL::Crypto.
namespace papilio::inline PAPILIO_MODE {

namespace detail {

struct openssl_deleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
};
using openssl_key = std::unique_ptr<EVP_PKEY, openssl_deleter>;
using openssl_digest = std::unique_ptr<EVP_MD_CTX, openssl_deleter>;
using openssl_bio = std::unique_ptr<BIO, openssl_deleter>;

inline const unsigned char* unsigned_of(const std::byte* at) noexcept
{
    return reinterpret_cast<const unsigned char*>(at);
}
inline unsigned char* unsigned_of(std::byte* at) noexcept
{
    return reinterpret_cast<unsigned char*>(at);
}

/// What OpenSSL has written down about its last failure, and forgets then.
inline std::string openssl_reason()
{
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "no reason given";
}

/// So that an encrypted file is refused: without one OpenSSL would ask at the terminal.
inline int no_password(char*, int, int, void*) noexcept
{
    return -1;
}

inline public_key public_half(const EVP_PKEY* key)
{
    public_key half;
    std::size_t size = half.bytes.size();
    PAPILIO_CHECK(EVP_PKEY_get_raw_public_key(key, unsigned_of(half.bytes.data()), &size) == 1 &&
                      size == half.bytes.size(),
                  "an ed25519 key must have 32 public bytes");
    return half;
}

}  // namespace detail

/// Says whether a signature is that of a key. A `verifier`.
struct ed25519_verifier {
    bool operator()(const public_key& key, bytes message, const signature& proof) const
    {
        const detail::openssl_key openssl(EVP_PKEY_new_raw_public_key(
            EVP_PKEY_ED25519, nullptr, detail::unsigned_of(key.bytes.data()), key.bytes.size()));
        const detail::openssl_digest context(EVP_MD_CTX_new());
        const bool good =
            openssl && context && !proves_nothing(key) &&
            EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, openssl.get()) == 1 &&
            EVP_DigestVerify(context.get(), detail::unsigned_of(proof.bytes.data()),
                             proof.bytes.size(), detail::unsigned_of(message.data()),
                             message.size()) == 1;
        ERR_clear_error();  // a wrong signature leaves something there
        return good;
    }
};

/// A private key: who holds it is the peer that its public half names. A `signer`. Unlike the
/// library's other objects it may be used by several threads at once.
class private_key {
public:
    /// A new one, which is gone with the object. Throws `std::errc::not_supported` where OpenSSL
    /// has no ed25519, as when it is configured for FIPS 140 alone.
    static private_key generate()
    {
        ERR_clear_error();
        private_key made(detail::openssl_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
        return made;
    }

    /// Of a file in PEM (PKCS #8, not encrypted), as `create` and
    /// `openssl genpkey -algorithm ed25519` write it. Throws what `read_key_file` throws, and
    /// `errc::bad_argument` for a file without such a key.
    static private_key load(const std::string& path);

    /// A new one in a file of its own, which only this user may read. Throws
    /// `std::errc::file_exists` where there is one already, and what `create_key_file` throws.
    static private_key create(const std::string& path);

    /// `load`, or `create` where there is no file. Of several processes that do so at the same time
    /// all have the key of the first one.
    static private_key load_or_create(const std::string& path);

    const public_key& key() const noexcept { return public_half_; }

    signature sign(bytes message) const
    {
        signature proof;
        std::size_t size = proof.bytes.size();
        const detail::openssl_digest context(EVP_MD_CTX_new());
        PAPILIO_CHECK(
            context &&
                EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                EVP_DigestSign(context.get(), detail::unsigned_of(proof.bytes.data()), &size,
                               detail::unsigned_of(message.data()), message.size()) == 1,
            "OpenSSL must sign with a key that it has made or read");
        return proof;
    }

private:
    explicit private_key(detail::openssl_key key) : key_(std::move(key))
    {
        if (!key_)
            throw std::system_error(
                std::make_error_code(std::errc::not_supported),
                "OpenSSL makes no ed25519 keys here (" + detail::openssl_reason() + ")");
        public_half_ = detail::public_half(key_.get());
    }

    secret_text pem() const;

    detail::openssl_key key_;
    public_key public_half_;
};

inline secret_text private_key::pem() const
{
    const detail::openssl_bio bio(BIO_new(BIO_s_mem()));
    PAPILIO_CHECK(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                       nullptr, nullptr) == 1,
                  "OpenSSL must write a key that it has made");
    char* text = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &text));
    secret_text kept(std::string_view(text, size));
    OPENSSL_cleanse(text, size);
    return kept;
}

inline private_key private_key::load(const std::string& path)
{
    const auto text = read_key_file(path);
    ERR_clear_error();
    const detail::openssl_bio bio(
        BIO_new_mem_buf(text.get().data(), static_cast<int>(text.get().size())));
    detail::openssl_key key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, detail::no_password, nullptr));
    const auto why = detail::openssl_reason();
    if (!key)
        throw std::system_error(errc::bad_argument,
                                "the key file " + path +
                                    " holds no private key in PEM that can be read "
                                    "without a password (" +
                                    why + ")");
    if (EVP_PKEY_is_a(key.get(), "ED25519") != 1)
        throw std::system_error(errc::bad_argument, "the key file " + path +
                                                        " holds a key of another kind than "
                                                        "ed25519");
    return private_key(std::move(key));
}

inline private_key private_key::create(const std::string& path)
{
    auto made = generate();
    if (!create_key_file(path, made.pem().get()))
        throw std::system_error(std::make_error_code(std::errc::file_exists),
                                "the key file " + path + " is left as it is");
    return made;
}

inline private_key private_key::load_or_create(const std::string& path)
{
    try {
        return load(path);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::no_such_file_or_directory) throw;
    }
    auto made = generate();
    const bool ours = create_key_file(path, made.pem().get());
    return ours ? std::move(made) : load(path);
}

}  // namespace papilio
