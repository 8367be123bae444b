#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Reorders `all` so that members of the two kinds take turns, beginning with the kind of the
/// first; otherwise the order stays. `is_first_kind` tells them apart.
template <class T, class Kind>
std::vector<T> interleaved(const std::vector<T>& all, Kind kind)
{
    std::vector<T> same, other, mixed;
    for (const auto& one : all) (kind(one) == kind(all.front()) ? same : other).push_back(one);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i < same.size()) mixed.push_back(same[i]);
        if (i < other.size()) mixed.push_back(other[i]);
    }
    return mixed;
}

/// Makes attempts at one thing, as connections to the addresses of a host (RFC 8305): the next one
/// begins when the last one has failed, or 250 ms after it. The first that succeeds is taken, and
/// the others are dropped. Who awaits it bounds its time.
template <class T>
class staggered {
public:
    /// At least one attempt.
    staggered(loop& on, std::vector<task<T>> attempts) : loop_(on), attempts_(std::move(attempts))
    {
        PAPILIO_CHECK(!attempts_.empty(), "there is something to try");
    }
    staggered(const staggered&) = delete;
    staggered& operator=(const staggered&) = delete;

    /// The result of the first attempt that succeeds. Throws what the last one threw when all have
    /// failed. Once.
    task<T> first()
    {
        std::size_t begun = 0;
        while (!result_ && failed_ < attempts_.size()) {
            changed_.close();
            if (begun < attempts_.size()) {
                running_.push_back(run(std::move(attempts_[begun++])));
                running_.back().start(loop_);
                co_await when_any(change(), sleep_for(apart));
            } else {
                co_await changed_.opened();
            }
        }
        running_.clear();
        if (!result_) std::rethrow_exception(failure_);
        co_return std::move(*result_);
    }

private:
    static constexpr duration apart = std::chrono::milliseconds(250);

    task<> run(task<T> attempt)
    {
        task<T> own = std::move(attempt);
        try {
            T made = co_await std::move(own);
            if (!result_) result_.emplace(std::move(made));
        } catch (...) {
            ++failed_;
            failure_ = std::current_exception();
        }
        changed_.open();
    }

    task<> change() { co_await changed_.opened(); }

    loop& loop_;
    std::vector<task<T>> attempts_;
    std::size_t failed_ = 0;
    std::exception_ptr failure_;
    std::optional<T> result_;
    gate changed_;
    std::list<task<>> running_;
};

}  // namespace papilio::detail
