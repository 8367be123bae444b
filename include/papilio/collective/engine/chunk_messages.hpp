#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/length_prefix.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Encodes chunks into messages and decodes them. A message of the last stage holds one chunk;
/// earlier ones hold the chunks of several parts, each behind its length.
///
/// In the first stage a peer sends its own elements. What an operation has made of several
/// contributions travels by the codec for the way back, in both directions.
class chunk_messages {
public:
    chunk_messages(const call_plan& plan, const call_data& data, int me)
        : plan_(plan), data_(data), me_(me)
    {
    }

    const call_data& data() const noexcept { return data_; }

    /// Elements travel as they lie in memory.
    bool verbatim() const noexcept { return data_.kind().verbatim; }

    /// What this peer's contributions to stage k are.
    static content kind_in(int k) noexcept { return k == 0 ? content::own : content::reduced; }

    /// This peer's elements to contribute in stage k: the caller's, or the results of the stage
    /// before, which lie where the final result goes.
    bytes elements(int k, part where) const
    {
        return k == 0 ? data_.input(where) : data_.output(where);
    }

    /// The most bytes of a message about a chunk of each of `parts`, with what precedes a first
    /// one.
    std::size_t max_contribution(int k, std::span<const int> parts) const
    {
        return max_message(kind_in(k), parts, plan_.weights_in_contribution(k));
    }
    std::size_t max_results(std::span<const int> parts) const
    {
        return max_message(content::reduced, parts, plan_.weights_in_result());
    }

    /// Writes this peer's contribution to chunk c of `parts`; returns its size.
    std::size_t write_contribution(int k, std::size_t c, std::span<const int> parts,
                                   mutable_bytes to) const
    {
        return write(kind_in(k), k, c, parts, to, [&](part where) { return elements(k, where); });
    }

    std::size_t write_results(int k, std::size_t c, std::span<const int> parts,
                              mutable_bytes to) const
    {
        return write(content::reduced, k, c, parts, to,
                     [&](part where) { return data_.output(where); });
    }

    void read_results(int k, std::size_t c, std::span<const int> parts, bytes message) const
    {
        if (last(k)) return decode(parts.front(), c, message);
        const auto entries = entries_of(message, parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            decode(parts[i], c, entries[i]);
        }
    }

    /// What the results in a message of stage k add to the digest of the whole.
    std::uint64_t digest(int k, std::size_t c, std::span<const int> parts, bytes message) const
    {
        if (last(k)) return chunk_digest(plan_.chunk(parts.front(), c), message);
        const auto entries = entries_of(message, parts.size());
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < parts.size(); ++i)
            all += chunk_digest(plan_.chunk(parts[i], c), entries[i]);
        return all;
    }

    /// The chunk of each of `parts` in a message of stage k. Throws `errc::bad_message` for another
    /// number of them.
    std::vector<bytes> split(int k, std::span<const int> parts, bytes message) const
    {
        return last(k) ? std::vector<bytes>{message} : entries_of(message, parts.size());
    }

    /// Encodes chunk c of this peer's own part for all others, and writes the elements that they
    /// will decode to the output.
    std::vector<std::byte> encode_own(std::size_t c) const
    {
        const auto where = plan_.chunk(me_, c);
        const auto from = data_.input(where);
        const auto to = data_.overwrite(where);
        std::vector<std::byte> encoded;
        if (verbatim()) {
            if (!from.empty()) std::memmove(to.data(), from.data(), from.size());
        } else {
            encoded.resize(data_.bound(content::reduced, where.size));
            encoded.resize(encode(content::reduced, 0, where.begin, from, encoded));
            data_.decode(where.begin, encoded, to);
        }
        return encoded;
    }

private:
    bool last(int k) const { return k + 1 == plan_.stages.stages(); }

    std::size_t max_message(content kind, std::span<const int> parts, std::size_t weights) const
    {
        std::size_t size = wire::descriptor::encoded_size + weights * sizeof(double);
        for (const int p : parts)
            size += prefixed_size(
                data_.bound(kind, largest_chunk(plan_.part_size(p), plan_.granule, plan_.columns)));
        return size;
    }

    void decode(int owner, std::size_t c, bytes encoded) const
    {
        const auto where = plan_.chunk(owner, c);
        data_.decode(where.begin, encoded, data_.overwrite(where));
    }

    template <class From>
    std::size_t write(content kind, int k, std::size_t c, std::span<const int> parts,
                      mutable_bytes to, const From& from) const
    {
        const auto before = last(k) ? 0 : length_size;
        std::size_t size = 0;
        for (const int p : parts) {
            const auto where = plan_.chunk(p, c);
            const auto n = encode(kind, k, where.begin, from(where), to.subspan(size + before));
            size += last(k) ? n : finish_entry(to.subspan(size), n);
        }
        return size;
    }

    /// Elements that the codec cannot take are this peer's own fault, or, once they are a result,
    /// nobody's alone.
    std::size_t encode(content kind, int k, std::size_t begin, bytes elements,
                       mutable_bytes to) const
    {
        std::size_t size = 0;
        const auto work = [&] { size = data_.encode(kind, begin, elements, to); };
        if (k == 0)
            blame_contribution(me_, me_, work);
        else
            blame_result(me_, work);
        return size;
    }

    const call_plan& plan_;
    const call_data& data_;
    int me_;
};

}  // namespace papilio::detail
