#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/session/impl/call_group.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

// Groups that are made of a group, by calls in it on which all members agree.
namespace papilio::inline PAPILIO_MODE::detail {

/// One group of a process is made at a time.
class making_turn {
public:
    explicit making_turn(shared_links& links) noexcept : links_(links) {}
    making_turn(const making_turn&) = delete;
    making_turn& operator=(const making_turn&) = delete;
    ~making_turn() { links_.end_making(); }

private:
    shared_links& links_;
};

/// What counts of the options of a call that makes a group.
inline call_options options_of_making(const call_options& from)
{
    call_options o;
    o.timeout = from.timeout;
    o.call = from.call;
    o.priority = from.priority;
    return o;
}

/// Who names which colour, and the highest epoch that anybody would take next: all members hold the
/// same, so that the groups' epochs follow, in the order of the colours.
class colours_told {
public:
    explicit colours_told(int peers) : told_(index(peers) * 2) {}

    std::span<std::int64_t> told() noexcept { return told_; }

    std::uint32_t first_epoch() const
    {
        std::int64_t most = 0;
        for (std::size_t i = 1; i < told_.size(); i += 2) most = std::max(most, told_[i]);
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(most, 1, max_epoch));
    }
    std::uint32_t count() const { return static_cast<std::uint32_t>(colours().size()); }

    std::uint32_t epoch_of(std::int64_t colour) const
    {
        const auto all = colours();
        return first_epoch() +
               static_cast<std::uint32_t>(std::ranges::lower_bound(all, colour) - all.begin());
    }
    std::vector<int> members_of(std::int64_t colour) const
    {
        std::vector<int> members;
        for (std::size_t i = 0; i < told_.size(); i += 2)
            if (told_[i] == colour) members.push_back(static_cast<int>(i / 2));
        return members;
    }

private:
    std::vector<std::int64_t> colours() const
    {
        std::vector<std::int64_t> all;
        for (std::size_t i = 0; i < told_.size(); i += 2) all.push_back(told_[i]);
        std::ranges::sort(all);
        const auto twice = std::ranges::unique(all);
        all.erase(twice.begin(), twice.end());
        return all;
    }

    std::vector<std::int64_t> told_;  // by rank: colour, next epoch
};

inline std::unique_ptr<call_group> group_of(call_group& parent, std::vector<int> members,
                                            std::uint32_t epoch)
{
    for (int& peer : members) peer = parent.member(peer);
    return std::make_unique<call_group>(parent.links(), std::move(members), epoch);
}

inline task<std::unique_ptr<call_group>> split_group(call_group& parent, int colour,
                                                     call_options options)
{
    auto& links = parent.links();
    co_await links.begin_making();
    const making_turn turn(links);
    const std::array<std::int64_t, 2> mine{colour, links.next_epoch()};
    colours_told all(parent.size());
    auto net = parent.transport();
    auto o = options_of_making(options);
    o.call = parent.number_for(o);
    task<report> gathered = run_all_gather(
        net, make_call_data<std::int64_t>(std::span(mine), all.told(), sum{}, identity{}), o);
    task<report> guarded = parent.until_ended(o, open_calls::ends_by::votes, std::move(gathered));
    co_await std::move(guarded);
    links.take_epochs(all.first_epoch(), all.count());
    co_return group_of(parent, all.members_of(colour), all.epoch_of(colour));
}

/// The members that are left agree on their epoch in a group of their own, whose call has a number
/// that no other such group has.
inline task<std::uint32_t> agreed_epoch(call_group& parent, const std::vector<int>& left,
                                        call_options options, std::uint32_t count)
{
    constexpr std::uint32_t shrinks = 127;
    static_assert((max_epoch + 1) * shrinks <= max_call);
    auto& links = parent.links();
    auto members = left;
    for (int& peer : members) peer = parent.member(peer);
    subset<mesh> group(links.net(), std::move(members), agreeing_epoch);
    auto o = options_of_making(options);
    o.call = 1 + parent.epoch() * shrinks + count % shrinks;
    o.salvage = true;
    const std::uint32_t mine = links.next_epoch();
    std::uint32_t agreed = 0;
    task<report> reduced = run_all_reduce(
        any_transport(group),
        make_call_data<std::uint32_t>({&mine, 1}, {&agreed, 1}, max{}, identity{}), o);
    co_await std::move(reduced);
    co_return agreed;
}

/// Who is left, and the epoch of their group.
struct left_over {
    std::vector<int> members;
    std::uint32_t epoch = 0;
};

inline task<left_over> agreed_rest(call_group& parent, call_options options, std::uint32_t count)
{
    left_over rest;
    task<std::vector<int>> found = run_shrink(parent.transport(), options);
    rest.members = co_await std::move(found);
    task<std::uint32_t> agreeing = agreed_epoch(parent, rest.members, options, count);
    rest.epoch = co_await std::move(agreeing);
    co_return rest;
}

inline task<std::unique_ptr<call_group>> shrunk_group(call_group& parent, call_options options)
{
    auto& links = parent.links();
    co_await links.begin_making();
    const making_turn turn(links);
    options.call = parent.number_for(options);
    task<left_over> agreeing = agreed_rest(parent, options, parent.count_shrink());
    task<left_over> guarded =
        parent.until_ended(options, open_calls::ends_by::dropping, std::move(agreeing));
    auto rest = co_await std::move(guarded);
    links.take_epochs(rest.epoch, 1);
    co_return group_of(parent, std::move(rest.members), rest.epoch);
}

/// All peers, at a number that they have agreed on.
inline std::unique_ptr<call_group> whole_group(shared_links& links, std::uint32_t epoch)
{
    std::vector<int> all(index(links.net().size()));
    std::iota(all.begin(), all.end(), 0);
    return std::make_unique<call_group>(links, std::move(all), epoch);
}

/// The whole group, with other processes in place of `returned`, once all of it is there.
inline task<std::unique_ptr<call_group>> rejoined_group(shared_links& links,
                                                        std::vector<int> returned,
                                                        std::uint32_t number, duration limit)
{
    const auto begin = co_await now();
    links.take_number(number);
    for (const int peer : returned) links.net().admit(peer);
    task<> connected = links.connect(limit);
    co_await std::move(connected);
    auto group = whole_group(links, number);
    const auto met = co_await now();
    call_options o;
    o.timeout = std::max<duration>(limit - (met - begin), std::chrono::milliseconds(1));
    task<report> entered = run_barrier(group->transport(), o);
    co_await std::move(entered);
    co_return group;
}

}  // namespace papilio::detail
