#pragma once

#include <papilio/async/spawn.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agree_links.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/session/impl/call_group.hpp>
#include <papilio/session/impl/launcher.hpp>
#include <papilio/session/impl/make_group.hpp>
#include <papilio/session/impl/measure_links.hpp>
#include <papilio/session/impl/shared_links.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

/// A communicator's part in its group, from any thread.
class group_member {
public:
    group_member(std::shared_ptr<shared_links> links, std::unique_ptr<call_group> group)
        : links_(std::move(links)),
          group_(std::move(group)),
          rank_(group_->rank()),
          size_(group_->size())
    {
    }
    group_member(const group_member&) = delete;
    group_member& operator=(const group_member&) = delete;
    ~group_member()
    {
        links_->loop().wait(group_->close());
        links_->loop().call([&] { group_.reset(); });
    }

    int rank() const noexcept { return rank_; }
    int size() const noexcept { return size_; }
    const std::shared_ptr<shared_links>& links() const noexcept { return links_; }
    call_group& group() noexcept { return *group_; }

    template <class T>
    std::future<T> start(task<T> work)
    {
        return spawn(links_->loop().loop(), std::move(work));
    }
    template <class T>
    T wait(task<T> work)
    {
        return start(std::move(work)).get();
    }

private:
    std::shared_ptr<shared_links> links_;
    std::unique_ptr<call_group> group_;  // the loop's
    int rank_;
    int size_;
};

void make_call(group_member* on, const asked_call& call, std::future<report>& done)
{
    if (!on)
        throw std::system_error(errc::bad_argument,
                                "this communicator has been closed, or moved from");
    done = on->start(on->group().call(call));
}

void make_call(group_member* on, const asked_call& call, report& done)
{
    std::future<report> started;
    make_call(on, call, started);
    done = started.get();
}

/// The first group over new links, once they are there.
inline std::unique_ptr<group_member> first_member(std::shared_ptr<shared_links> links,
                                                  const communicator_options& o)
{
    auto& loop = links->loop();
    std::unique_ptr<call_group> group;
    if (o.number > 0) {
        group = loop.wait(rejoined_group(*links, {}, o.number, o.connect_timeout));
    } else {
        loop.wait(links->connect(o.connect_timeout));
        loop.call([&] { group = std::make_unique<call_group>(*links, std::vector<int>(), 0); });
    }
    return std::make_unique<group_member>(std::move(links), std::move(group));
}

inline task<> calls_aborted(call_group& group, std::string reason, std::vector<std::uint32_t> calls)
{
    group.abort(std::move(reason), std::move(calls));
    co_return;
}

inline task<std::optional<link_table>> links_agreed(call_group& group, call_options options)
{
    const auto time = co_await now();
    const auto mine = group.history().tell(time.time_since_epoch());
    options.call = group.number_for(options);
    task<std::optional<link_table>> agreeing = run_agree_links(group.transport(), mine, options);
    task<std::optional<link_table>> guarded =
        group.until_ended(options, group.end_of_call(options), std::move(agreeing));
    co_return co_await std::move(guarded);
}

}  // namespace detail

communicator::communicator(std::unique_ptr<detail::group_member> member) noexcept
    : collective_calls(member.get()), member_(std::move(member))
{
}

communicator::communicator(int rank, std::vector<tcp::endpoint> endpoints, communicator_options o)
    : communicator(detail::first_member(
          std::make_shared<detail::shared_links>(rank, std::move(endpoints), o), o))
{
}

communicator communicator::meet(int rank, int size, tcp::endpoint first, communicator_options o)
{
    if (size < 1 || size > detail::most_peers)
        throw detail::bad_value("the size of a group", "1 to 4,095", size);
    detail::meeting m{rank, size, 0, std::move(first)};
    return communicator(
        detail::first_member(std::make_shared<detail::shared_links>(std::move(m), o), o));
}

communicator communicator::from_environment(communicator_options o)
{
    auto l = detail::launched_by(detail::of_process);
    detail::meeting m{l.rank, l.size, l.group, std::move(l.meeting)};
    return communicator(
        detail::first_member(std::make_shared<detail::shared_links>(std::move(m), o), o));
}

communicator::communicator(communicator&& from) noexcept : communicator(std::move(from.member_))
{
    from.on_ = nullptr;
}

communicator& communicator::operator=(communicator&& from) noexcept
{
    member_ = std::move(from.member_);
    on_ = std::exchange(from.on_, nullptr);
    return *this;
}

communicator::~communicator() = default;

detail::group_member& communicator::open() const
{
    if (!member_)
        throw std::system_error(errc::bad_argument,
                                "this communicator has been closed, or moved from");
    return *member_;
}

int communicator::rank() const
{
    return open().rank();
}

int communicator::size() const
{
    return open().size();
}

collective_calls<std::future<report>> communicator::start() const
{
    return collective_calls<std::future<report>>(&open());
}

void communicator::abort(const std::string& reason, short_list<std::uint32_t> calls)
{
    auto& m = open();
    std::vector<std::uint32_t> numbers(calls.begin(), calls.end());
    m.wait(detail::calls_aborted(m.group(), reason, std::move(numbers)));
}

communicator communicator::shrink(call_options options)
{
    auto& m = open();
    auto group = m.wait(detail::shrunk_group(m.group(), options));
    return communicator(std::make_unique<detail::group_member>(m.links(), std::move(group)));
}

communicator communicator::split(int colour, call_options options)
{
    auto& m = open();
    auto group = m.wait(detail::split_group(m.group(), colour, options));
    return communicator(std::make_unique<detail::group_member>(m.links(), std::move(group)));
}

communicator communicator::rejoin(short_list<int> returned, std::uint32_t number, duration limit)
{
    auto& m = open();
    std::vector<int> peers(returned.begin(), returned.end());
    auto group = m.wait(detail::rejoined_group(*m.links(), std::move(peers), number, limit));
    return communicator(std::make_unique<detail::group_member>(m.links(), std::move(group)));
}

std::vector<measured_link> communicator::probe(probe_options o)
{
    auto& m = open();
    return m.wait(detail::measure_links(m.group(), o));
}

std::optional<link_table> communicator::agree_links(call_options options)
{
    auto& m = open();
    return m.wait(detail::links_agreed(m.group(), options));
}

void communicator::close(duration limit)
{
    if (!member_) return;
    const auto links = member_->links();
    links->linger = limit;
    on_ = nullptr;
    member_.reset();
}

}  // namespace papilio
