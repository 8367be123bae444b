#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// Text as one long run of tokens, mapped from one or more files and never copied as a whole.
///
/// A file named `*.bin` is a shard of llm.c: 256 int32 (20240520, 1, token count, ...), then that
/// many uint16. Any other file is text whose bytes are the tokens. Files follow each other in the
/// order given; they must not be changed while they are mapped.
class corpus {
public:
    /// Opens every file of `paths`. Each may name a file, a pattern as of the shell
    /// (`shard_*.bin`), or a directory: its `*.bin` files, or else its `*.txt` files, by name.
    /// Throws a `problem`.
    explicit corpus(const std::vector<std::string>& paths);
    ~corpus();

    corpus(const corpus&) = delete;
    corpus& operator=(const corpus&) = delete;

    /// Tokens in all files together.
    std::uint64_t size() const { return size_; }

    /// Copies the tokens from `offset` on. Throws a `problem` naming the file and the place when
    /// one is not below `vocabulary`: the text was then tokenised for another model.
    void read(std::uint64_t offset, std::span<std::int64_t> out, std::size_t vocabulary) const;

private:
    struct shard;
    std::vector<std::unique_ptr<shard>> shards_;
    std::uint64_t size_ = 0;
};

/// The tokens [begin, end) of a corpus: what is trained on, or what is held out.
struct token_range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const { return end - begin; }
};

/// A corpus cut in two; the held-out tokens are the last ones and are never trained on.
struct split {
    token_range train;
    token_range held_out;
};

/// Holds out the last `fraction` of `tokens`. Throws a `problem` unless both sides hold a window of
/// `length` + 1 tokens.
split split_tokens(std::uint64_t tokens, double fraction, std::size_t length);

/// Where the windows of a step begin: each window is `length` tokens and the one that follows them,
/// and lies within `train`. A pure function of its arguments, so that anyone who knows them can
/// repeat what a peer trained on.
std::vector<std::uint64_t> windows(std::uint64_t seed, std::uint64_t peer, std::uint64_t step,
                                   std::size_t batch, std::size_t length, token_range train);

/// Where the windows of an evaluation begin: side by side through `held_out`; where more than
/// `most` would fit, `most` of them, evenly spread. `most` = 0 means all. The same at every call.
std::vector<std::uint64_t> evaluation_windows(std::size_t length, std::size_t most,
                                              token_range held_out);

/// Entropy in nats per token of the range's own token frequencies: the loss of the best guess that
/// looks at no context, which a trained model must beat.
double unigram_entropy(const corpus& text, token_range range, std::size_t vocabulary);

}  // namespace papilio::example
