#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// Text as one sequence of tokens, in one or more files.
///
/// A file named `*.bin` is a shard of llm.c: 256 int32 (20240520, 1, token count, ...), then that
/// many uint16. Any other file is text whose bytes are the tokens. The files are concatenated in
/// the given order. They must not change while they are in use: a file that has become shorter is
/// reported when what is missing is read.
class corpus {
public:
    /// Opens every file of `paths`. Each may name a file, a pattern as of the shell
    /// (`shard_*.bin`), or a directory: its `*.bin` files, or else its `*.txt` files, by name.
    /// Throws a `problem`.
    explicit corpus(const std::vector<std::string>& paths);
    ~corpus();

    corpus(const corpus&) = delete;
    corpus& operator=(const corpus&) = delete;

    /// The number of tokens in all files.
    std::uint64_t size() const { return size_; }

    /// Whether bytes are the tokens.
    bool is_text() const;

    /// Copies the tokens from `offset` on. Throws a `problem` naming the file and the place when
    /// one is not below `vocabulary`: the text was then tokenised for another model.
    void read(std::uint64_t offset, std::span<std::int64_t> out, std::size_t vocabulary) const;

    /// Reads all tokens, unless no token of these files can be too large, and throws the same
    /// `problem`.
    void check_tokens(std::size_t vocabulary) const;

private:
    struct shard;
    std::vector<std::unique_ptr<shard>> shards_;
    std::uint64_t size_ = 0;
};

/// The tokens [begin, end) of a corpus.
struct token_range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const { return end - begin; }
};

/// The tokens for training and those for evaluation, which are the last ones.
struct split {
    token_range train;
    token_range held_out;
};

/// Holds out the last `fraction` of `tokens`. Throws a `problem` unless both parts have at least
/// `length` + 1 tokens.
split split_tokens(std::uint64_t tokens, double fraction, std::size_t length);

/// The first tokens of the windows of a step. Each window is `length` tokens and the one after
/// them, within `train`. A pure function of its arguments, so that the batches of a peer can be
/// reproduced.
std::vector<std::uint64_t> windows(std::uint64_t seed, std::uint64_t peer, std::uint64_t step,
                                   std::size_t batch, std::size_t length, token_range train);

/// The first tokens of the windows of an evaluation: adjacent windows over `held_out`, or `most`
/// evenly spaced ones if that is fewer. `most` = 0 means all. The same at every call.
std::vector<std::uint64_t> evaluation_windows(std::size_t length, std::size_t most,
                                              token_range held_out);

/// The entropy of the token frequencies in the range, in nats per token: the loss of the best
/// prediction without context, which a trained model must beat.
double unigram_entropy(const corpus& text, token_range range, std::size_t vocabulary);

}  // namespace papilio::example
