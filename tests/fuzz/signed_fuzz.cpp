// A signed document: whatever the bytes, by a verifier that believes all of them, it is read or
// refused, and what is read is written again in the same way. The first byte says which kind is
// expected, and how large its body may be.

#include <papilio/base/check.hpp>
#include <papilio/wire/signed.hpp>

#include <algorithm>
#include <cstdint>

namespace {

/// Signs what it is told, as it stood in the message.
struct copied_signer {
    papilio::public_key by;
    papilio::signature proof;

    const papilio::public_key& key() const { return by; }
    papilio::signature sign(papilio::bytes) const { return proof; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace wire = papilio::wire;
    if (size == 0) return 0;
    const auto message = std::as_bytes(std::span(data, size)).subspan(1);
    const wire::expected_document want{.kind = static_cast<wire::signed_kind>(data[0] & 31),
                                       .now = 1'800'000'000,
                                       .largest_body = std::size_t{data[0]} >> 5};
    papilio::signature proof;
    const auto believe = [&](const papilio::public_key&, papilio::bytes,
                             const papilio::signature& given) {
        proof = given;
        return true;
    };
    try {
        const auto read = wire::read_document(message, want, believe);
        const auto again =
            wire::sign_document(read.head, read.body, copied_signer{read.head.key, proof});
        PAPILIO_CHECK(std::ranges::equal(again, message), "a document has two spellings");
    } catch (const std::system_error& refused) {
        PAPILIO_CHECK(refused.code() == papilio::errc::bad_message ||
                          refused.code() == papilio::errc::refused,
                      "refused for another reason");
    }
    return 0;
}
