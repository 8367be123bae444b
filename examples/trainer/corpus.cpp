#include "corpus.hpp"

#include "data_files.hpp"
#include "file.hpp"
#include "problem.hpp"

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/random.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <utility>

namespace papilio::example {

namespace {

constexpr std::size_t header_bytes = 256 * sizeof(std::int32_t);
constexpr std::int32_t shard_magic = 20240520;

/// Checks the header of an llm.c shard and returns its token count.
std::uint64_t shard_tokens(const file& from, std::uint64_t bytes)
{
    const auto refuse = [&](const std::string& why) {
        throw problem(errc::bad_argument,
                      from.path().string() + " is not an llm.c token file: " + why);
    };
    if (bytes < header_bytes)
        refuse("it has " + std::to_string(bytes) + " bytes, its header alone takes 1024");
    std::array<std::int32_t, 3> header{};
    from.read(0, std::as_writable_bytes(std::span(header)));
    if (header[0] != shard_magic)
        refuse("it begins with " + std::to_string(header[0]) + " instead of 20240520");
    if (header[1] != 1)
        refuse("its version is " + std::to_string(header[1]) + ", only 1 (uint16 tokens) is known");
    const auto tokens = static_cast<std::uint64_t>(std::max(header[2], 0));
    const std::uint64_t expected = header_bytes + 2 * tokens;
    if (header[2] < 0 || bytes != expected)
        refuse("its header counts " + std::to_string(header[2]) + " tokens, which take " +
               std::to_string(expected) + " bytes, but it has " + std::to_string(bytes));
    return tokens;
}

}  // namespace

struct corpus::shard {
    shard(const std::string& name, std::uint64_t first_token)
        : content(name, file::mode::read), first(first_token)
    {
        const std::uint64_t bytes = content.size();
        if (is_shard(name)) {
            width = sizeof(std::uint16_t);
            begin = header_bytes;
            size = shard_tokens(content, bytes);
        } else {
            size = bytes;
        }
    }

    std::uint64_t offset_of(std::uint64_t index) const { return begin + width * index; }

    /// Copies the tokens from `index` on. The file is read anew, not mapped: what is missing from a
    /// mapped one would kill the process.
    void read(std::uint64_t index, std::span<std::int64_t> out) const
    {
        if (width == 1) return read_as<std::uint8_t>(index, out);
        read_as<std::uint16_t>(index, out);
    }

    file content;
    std::uint64_t begin = 0;  // offset of the first token in the file
    std::size_t width = 1;    // bytes per token
    std::uint64_t first = 0;  // index of the first token within the corpus
    std::uint64_t size = 0;   // tokens

private:
    template <class Token>
    void read_as(std::uint64_t index, std::span<std::int64_t> out) const
    {
        std::vector<Token> tokens(out.size());
        const std::uint64_t end = offset_of(index) + out.size() * sizeof(Token);
        if (content.size() < end)
            throw problem(errc::bad_message,
                          "the data file " + content.path().string() + " has shrunk to " +
                              std::to_string(content.size()) + " bytes while it was in use: " +
                              "restore it, and go on from the last checkpoint with --resume");
        content.read(offset_of(index), std::as_writable_bytes(std::span(tokens)));
        std::copy(tokens.begin(), tokens.end(), out.begin());
    }
};

corpus::corpus(const std::vector<std::string>& paths)
{
    for (const std::string& path : data_files(paths)) {
        shards_.push_back(std::make_unique<shard>(path, size_));
        size_ += shards_.back()->size;
    }
    const bool mixed = std::any_of(shards_.begin(), shards_.end(), [&](const auto& other) {
        return other->width != shards_.front()->width;
    });
    if (mixed)
        throw problem(errc::bad_argument,
                      "the data mixes text with *.bin token files: their tokens mean different "
                      "things, so give one kind only");
}

corpus::~corpus() = default;

bool corpus::is_text() const
{
    return shards_.front()->width == 1;
}

void corpus::read(std::uint64_t offset, std::span<std::int64_t> out, std::size_t vocabulary) const
{
    PAPILIO_CHECK(offset <= size_ && out.size() <= size_ - offset, "read past the end of the text");
    if (out.empty()) return;
    auto place = std::upper_bound(shards_.begin(), shards_.end(), offset,
                                  [](std::uint64_t at, const auto& s) { return at < s->first; });
    for (--place; !out.empty(); ++place) {
        const shard& from = **place;
        const std::uint64_t index = offset - from.first;
        const auto some = out.first(std::min<std::uint64_t>(out.size(), from.size - index));
        from.read(index, some);
        const auto unknown = std::ranges::find_if(some, [&](std::int64_t token) {
            return static_cast<std::size_t>(token) >= vocabulary;
        });
        if (unknown != some.end()) {
            const std::uint64_t at = index + static_cast<std::uint64_t>(unknown - some.begin());
            throw problem(errc::bad_argument,
                          from.content.path().string() + " holds token " +
                              std::to_string(*unknown) + " at byte " +
                              std::to_string(from.offset_of(at)) + ", but the model knows only " +
                              std::to_string(vocabulary) +
                              " tokens: choose the model that the data was tokenised for");
        }
        offset += some.size();
        out = out.subspan(some.size());
    }
}

void corpus::check_tokens(std::size_t vocabulary) const
{
    if (vocabulary >= std::size_t{1} << (8 * shards_.front()->width)) return;
    std::vector<std::int64_t> tokens;
    for (std::uint64_t at = 0; at < size_; at += tokens.size()) {
        tokens.resize(std::min<std::uint64_t>(1 << 18, size_ - at));
        read(at, tokens, vocabulary);
    }
}

split split_tokens(std::uint64_t tokens, double fraction, std::size_t length)
{
    if (!(fraction > 0 && fraction < 1))
        throw problem(
            errc::bad_argument,
            "the held-out fraction must lie between 0 and 1, not at " + std::to_string(fraction));
    const auto held = static_cast<std::uint64_t>(std::ceil(static_cast<double>(tokens) * fraction));
    const std::uint64_t cut = tokens - std::min(held, tokens);
    const split parts{{0, cut}, {cut, tokens}};
    if (std::min(parts.train.size(), parts.held_out.size()) < length + 1)
        throw problem(errc::bad_argument,
                      "the data is too short: " + std::to_string(parts.train.size()) +
                          " tokens to train on and " + std::to_string(parts.held_out.size()) +
                          " held out, and each side needs " + std::to_string(length + 1) +
                          " for one sequence");
    return parts;
}

std::vector<std::uint64_t> windows(std::uint64_t seed, std::uint64_t peer, std::uint64_t step,
                                   std::size_t batch, std::size_t length, token_range train)
{
    std::vector<std::uint64_t> begins(batch);
    for (std::size_t i = 0; i < batch; ++i)
        begins[i] = train.begin + hash(seed, peer, step, i) % (train.size() - length);
    return begins;
}

std::vector<std::uint64_t> evaluation_windows(std::size_t length, std::size_t most,
                                              token_range held_out)
{
    const std::uint64_t all = (held_out.size() - 1) / length;
    const std::uint64_t count = most == 0 ? all : std::min<std::uint64_t>(most, all);
    std::vector<std::uint64_t> begins(count);
    for (std::uint64_t i = 0; i < count; ++i) begins[i] = held_out.begin + i * all / count * length;
    return begins;
}

double unigram_entropy(const corpus& text, token_range range, std::size_t vocabulary)
{
    std::vector<std::uint64_t> counts(vocabulary);
    std::vector<std::int64_t> tokens;
    for (std::uint64_t at = range.begin; at < range.end; at += tokens.size()) {
        tokens.resize(std::min<std::uint64_t>(1 << 16, range.end - at));
        text.read(at, tokens, vocabulary);
        for (const std::int64_t token : tokens) ++counts[static_cast<std::size_t>(token)];
    }
    double entropy = 0;
    for (const std::uint64_t count : counts) {
        const double share = static_cast<double>(count) / static_cast<double>(range.size());
        if (count > 0) entropy -= share * std::log(share);
    }
    return entropy;
}

}  // namespace papilio::example
