#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/wire/proposal.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Which version of which chunk a peer's result holds, and how many chunks it lacks of those that
/// it is to have.
class held_chunks {
public:
    /// Of peer `me`; `wanted` are the versions that count. `call` is borrowed.
    held_chunks(const call_shape& call, int me, chunk_versions wanted)
        : call_(call), me_(me), held_(call.extent), wanted_(std::move(wanted))
    {
        missing_ = missing_of(wanted_);
    }

    /// Other versions count from now on. What is left out of a call that gathers is forgotten: a
    /// vote is about all that its author holds.
    void want(const chunk_versions& versions)
    {
        wanted_ = versions;
        if (call_.gathers) held_.leave_out(versions);
        missing_ = missing_of(wanted_);
    }

    void overwrite(std::size_t part, std::uint32_t column)
    {
        missing_ += counts(part, column);
        held_.set(part, column, wire::no_view);
    }

    void hold(std::size_t part, std::uint32_t column, std::uint8_t version)
    {
        overwrite(part, column);
        held_.set(part, column, version);
        missing_ -= counts(part, column);
    }

    /// Chunks that are not there in the version that counts.
    std::size_t missing() const noexcept { return missing_; }

    /// The same if other versions counted.
    std::size_t missing_of(const chunk_versions& wanted) const
    {
        std::size_t missing = 0;
        for (std::size_t part = 0; part < call_.extent.parts; ++part)
            for (std::uint32_t c = 0; needs(part) && c < call_.extent.columns; ++c)
                missing +=
                    !fits(held_.at(part, c), wanted.at(part, c)) && !left_out(wanted.at(part, c));
        return missing;
    }

    const chunk_versions& versions() const noexcept { return held_; }

    /// Whether a chunk is one that this peer is to have, in the version that counts.
    bool counts(std::size_t part, std::uint32_t column) const
    {
        return needs(part) && fits(held_.at(part, column), wanted_.at(part, column));
    }

    /// Whether a proposal has all that its members are to have, from this peer no more than it
    /// holds, and for it whatever it does not.
    bool suits(const wire::proposal& p) const
    {
        for (std::size_t part = 0; part < call_.extent.parts; ++part) {
            if (may_leave_out(p, part)) continue;
            const auto needed = call_.needed_by[part] & p.members;
            std::uint32_t next = 0;
            for (const auto& run : p.runs[part]) {
                const bool held = holds(part, run);
                const bool comes = held || run.lacking.contains(me_);
                if (run.first != next || (run.source == me_ && !held) ||
                    (held && run.lacking.contains(me_)) || (needed.contains(me_) && !comes) ||
                    (call_.gathers && run.source < 0))
                    return false;
                next = run.first + run.columns;
            }
            if (!needed.empty() && next != call_.extent.columns) return false;
        }
        return true;
    }

private:
    bool needs(std::size_t part) const { return call_.needed_by[part].contains(me_); }

    bool left_out(std::uint8_t wanted) const { return call_.gathers && wanted == wire::no_view; }

    /// Where its owner is there, a part is, unless a vote without it is adopted.
    bool may_leave_out(const wire::proposal& p, std::size_t part) const
    {
        const bool has_owner = p.members.contains(static_cast<int>(part));
        return call_.gathers && p.runs[part].empty() && (!has_owner || p.adopted != wire::no_view);
    }

    static bool fits(std::uint8_t held, std::uint8_t wanted)
    {
        return held == wanted && held != wire::no_view;
    }

    bool holds(std::size_t part, const wire::proposed_run& run) const
    {
        for (auto c = run.first; c < run.first + run.columns; ++c)
            if (held_.at(part, c) != run.version) return false;
        return true;
    }

    const call_shape& call_;
    int me_;
    chunk_versions held_;
    chunk_versions wanted_;
    std::size_t missing_ = 0;
};

}  // namespace papilio::detail
