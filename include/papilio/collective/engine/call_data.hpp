#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/collective/engine/undo_log.hpp>
#include <papilio/plan/partition.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Element, operation and codec of a call, by number: what plans and descriptors need of them.
struct call_kind {
    element_type element{};
    std::size_t element_size = 1;
    std::uint8_t op = 0;
    bool in_stages = true;       ///< the operation may reduce its own results
    bool uneven_stages = false;  ///< also results of different numbers of contributions
    bool sums_count = false;     ///< which are the weights of the results then
    bool stages_alike = false;   ///< stages round no more often than one, and cannot fail it
    codec_id codec{};
    codec_id back{};  ///< of reduced elements
    std::uint64_t parameters = 0;
    std::uint64_t back_parameters = 0;
    std::size_t granule = 1;  ///< runs of elements may be cut at its multiples, both ways

    /// Elements travel as they lie in memory, both ways, so that messages need not be encoded.
    bool verbatim = false;
};

/// Which of a call's two codecs elements travel by.
enum class content : std::uint8_t {
    own,      ///< a peer's own elements: by the codec that the caller chose
    reduced,  ///< results of the operation: by that codec's way back
};

/// One contribution to a chunk.
struct contribution {
    int peer = -1;  ///< who sent it; -1: this peer's own elements, not encoded yet
    bytes data;
};

/// The contributions to one chunk, in rank order, and their weights.
struct chunk_input {
    part where;  ///< of the chunk, in the whole vector
    content kind = content::own;
    std::span<const contribution> from;
    std::span<const double> weights;
    int me = -1;  ///< this peer: to blame for own elements that cannot be encoded
};

/// The elements of a call. The engine moves bytes and knows ranges; whatever depends on the type of
/// an element, on the operation or on the codec is behind this interface: one virtual call to
/// encode a contribution, one to reduce a chunk, one to decode a result. `typed_call_data`
/// implements it in host memory.
///
/// `in` holds the whole vector, or, in an all_gather, this peer's part; `out` the whole, or, in a
/// reduce_scatter of one stage, the part. The caller's memory outlives the call.
class call_data {
public:
    call_data(const call_kind& kind, bytes in, mutable_bytes out) : kind_(kind), in_(in), out_(out)
    {
    }
    call_data(const call_data&) = delete;
    call_data& operator=(const call_data&) = delete;
    virtual ~call_data() = default;

    const call_kind& kind() const noexcept { return kind_; }
    bytes in() const noexcept { return in_; }
    mutable_bytes out() const noexcept { return out_; }
    std::size_t in_elements() const noexcept { return in_.size() / kind_.element_size; }
    std::size_t out_elements() const noexcept { return out_.size() / kind_.element_size; }

    /// `in`, or `out`, begins at this element of the whole vector.
    void set_in_begin(std::size_t element) noexcept { in_begin_ = element; }
    void set_out_begin(std::size_t element) noexcept { out_begin_ = element; }

    /// Results go to `out` instead.
    void set_out(mutable_bytes out) noexcept { out_ = out; }

    /// What `out` held is saved in `log`, which is borrowed, before it is overwritten.
    void set_undo_log(undo_log* log) noexcept { log_ = log; }
    bool has_undo_log() const noexcept { return log_ != nullptr; }

    /// The elements of a range of the whole vector, as they lie in memory.
    bytes input(part where) const
    {
        return in_.subspan((where.begin - in_begin_) * kind_.element_size,
                           where.size * kind_.element_size);
    }
    bytes output(part where) const { return place_of(where); }

    /// Whether there is a place for the result of a range.
    bool has_output(part where) const noexcept
    {
        return where.begin >= out_begin_ && where.end() <= out_begin_ + out_elements();
    }

    /// Where the result of a range, the same each time, is to be written. From any thread.
    mutable_bytes overwrite(part where) const
    {
        const auto place = place_of(where);
        if (log_) log_->save(offset_of(place), place.size());
        return place;
    }

    /// The elements of a range as the caller gave them, though it may have been overwritten. From
    /// any thread, but not while it is being overwritten for the first time.
    bytes original(part where) const
    {
        if (!log_) return input(where);
        const auto place = place_of(where);
        const auto saved = log_->saved(offset_of(place), place.size());
        return saved.empty() ? input(where) : saved;
    }

    /// The most bytes that so many elements take when they are encoded. None take none.
    virtual std::size_t bound(content kind, std::size_t elements) const = 0;

    /// Encodes `elements`, which begin at element `begin` of the whole vector; returns how many
    /// bytes of `to`, which has at least the bound, it wrote. Throws what the codec throws.
    virtual std::size_t encode(content kind, std::size_t begin, bytes elements,
                               mutable_bytes to) const = 0;

    /// Decodes reduced elements into `elements`. Throws `errc::bad_message` for bytes that are no
    /// such run.
    virtual void decode(std::size_t begin, bytes encoded, mutable_bytes elements) const = 0;

    /// Reduces a chunk into `out`. With `encoded`, it gets the bytes that carry the result to
    /// others, and `out` holds what they decode. Throws a `call_error` that blames the peer whose
    /// contribution cannot be decoded, or has the wrong size. May run on another thread; `scratch`
    /// is kept from one call to the next.
    virtual void reduce(const chunk_input& chunk, pooled_buffer& scratch,
                        std::vector<std::byte>* encoded) const = 0;

private:
    mutable_bytes place_of(part where) const
    {
        return out_.subspan((where.begin - out_begin_) * kind_.element_size,
                            where.size * kind_.element_size);
    }
    std::size_t offset_of(bytes place) const noexcept
    {
        return static_cast<std::size_t>(place.data() - out_.data());
    }

    call_kind kind_;
    bytes in_;
    mutable_bytes out_;
    undo_log* log_ = nullptr;
    std::size_t in_begin_ = 0;
    std::size_t out_begin_ = 0;
};

}  // namespace papilio::detail
