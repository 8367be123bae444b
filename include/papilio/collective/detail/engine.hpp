#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/detail/asker_side.hpp>
#include <papilio/collective/detail/holdings.hpp>
#include <papilio/collective/detail/owner_side.hpp>
#include <papilio/collective/detail/window.hpp>

#include <utility>
#include <vector>

namespace papilio::detail {

/// The mixed-radix butterfly. In each stage of the way there, a peer sends each peer it meets the
/// parts that are the other's business from now on, and folds what it is sent about its own; after
/// the last stage everybody owns a reduced part, whose bytes go back through the same stages, and
/// are passed on as they came. In a single stage everybody sends each owner its version of the
/// owner's part, and the owner sends everybody the result: a lossy codec rounds twice then, and
/// once more for each further stage.
///
/// Parts move in columns, and columns in lanes. A lane between two peers that meet is one
/// conversation: my version out, the result back, next column. So the result is the credit for the
/// next contribution, and never more than `lanes` messages are under way between two peers in one
/// direction, however early or late either of them is; fewer where a `window` says so. Where only
/// one of the two carries data, the other is an empty message, and left out where no later column
/// needs the credit.
template <element T, class Op, class Codec>
class engine {
public:
    engine(call_run& r, const call_plan& plan, halves what, buffers<T> data, Op op, Codec codec,
           thread_pool* pool)
        : held_(r, plan, what, data, codec), owner_(held_, op, pool), asker_(held_, pool)
    {
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Moves everything between members. `out` is complete when it finishes.
    task<> move()
    {
        std::vector<task<>> work;
        for (int k = 0; k < held_.stages(); ++k) owner_.serve_all(k, window_, work);
        for (int k = 0; k < held_.stages(); ++k) asker_.ask_all(k, window_, work);
        work.push_back(owner_.begin());
        work.push_back(owner_.watch_part());
        co_await open_window();
        co_await when_all(std::move(work));
    }

    /// Hands my part to the observers. One that fails is left behind.
    task<> serve_observers()
    {
        auto& r = held_.call();
        std::vector<task<>> work;
        for (int peer = 0; peer < r.size(); ++peer)
            if (peer != r.me() && !votes(r.of(peer)))
                work.push_back(owner_.serve_observer(peer, window_));
        co_await when_all(std::move(work));
    }

private:
    /// Who has nobody to ask for results gets no answer that could be late.
    task<> open_window()
    {
        loop& on = co_await this_loop{};
        const auto& plan = held_.plan();
        if (asker_.asks() && plan.near_lanes < plan.lanes && held_.call().all_are_near())
            window_.open(on, plan.near_lanes);
        else
            window_.open_wide();
    }

    holdings<T, Codec> held_;
    owner_side<T, Op, Codec> owner_;
    asker_side<T, Codec> asker_;
    window window_;
};

}  // namespace papilio::detail
