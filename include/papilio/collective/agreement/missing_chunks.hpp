#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/chunk_request.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What an observer lacks of a result that is decided, and whom it has asked for which of it. Pure.
class missing_chunks {
public:
    /// Both are borrowed; `held` are the chunks that have come so far.
    missing_chunks(const call_plan& plan, const chunk_versions& held)
        : plan_(plan), held_(held), asked_(plan.roles.size())
    {
    }

    /// Of each chunk the version of `decided`, which is borrowed, is to be had.
    void begin(const chunk_versions& decided)
    {
        decided_ = &decided;
        const auto columns = static_cast<std::uint32_t>(plan_.columns);
        for (std::uint32_t part = 0; part < plan_.parts.size(); ++part)
            for (std::uint32_t c = 0; c < columns; ++c)
                if (lacks(part * columns + c) && plan_.chunk(static_cast<int>(part), c).size > 0)
                    missing_.push_back(part * columns + c);
        lacking_ = missing_.size();
    }

    /// Everything has come.
    bool none() const noexcept { return decided_ && lacking_ == 0; }

    /// What a peer is asked for next, until it is `given` or `put_back`: of what it has, and nobody
    /// else was asked for. An auxiliary that declines the result has its part.
    const wire::chunk_request& ask(int peer)
    {
        auto& wanted = asked_[index(peer)];
        wanted.clear();
        std::erase_if(missing_, [&](std::uint32_t chunk) {
            const bool has = plan_.receives(peer) || part_of(chunk) == index(peer);
            if (!has || wanted.size() == wire::most_chunks_requested) return false;
            wanted.push_back(chunk);
            return true;
        });
        return wanted;
    }

    void given(int peer) { lacking_ -= std::exchange(asked_[index(peer)], {}).size(); }

    /// Others are to give what `peer` has not given.
    void put_back(int peer)
    {
        for (const auto chunk : std::exchange(asked_[index(peer)], {}))
            if (lacks(chunk))
                missing_.push_back(chunk);
            else
                --lacking_;
    }

private:
    std::size_t part_of(std::uint32_t chunk) const { return chunk / plan_.columns; }
    bool lacks(std::uint32_t chunk) const
    {
        const auto column = static_cast<std::uint32_t>(chunk % plan_.columns);
        return held_.at(part_of(chunk), column) != decided_->at(part_of(chunk), column);
    }

    const call_plan& plan_;
    const chunk_versions& held_;
    const chunk_versions* decided_ = nullptr;
    std::deque<std::uint32_t> missing_;       // chunks for which nobody was asked
    std::size_t lacking_ = 0;                 // those, and the ones that are under way
    std::vector<wire::chunk_request> asked_;  // by rank: what is under way
};

}  // namespace papilio::detail
