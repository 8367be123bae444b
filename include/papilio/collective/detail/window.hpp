#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>

#include <chrono>
#include <cstddef>

namespace papilio::detail {

/// How many of a call's lanes are in use.
///
/// Where there is next to no latency, two lanes move as much as many, and what they carry is still
/// in the cache when it is reduced: there the others wait for the first answer. If it comes soon
/// they are not needed. If it is late, a link is slow or a peer is: then all lanes are used, so
/// that fast links are not idle while slow ones are waited for, and show what they can carry.
class window final : public event {
public:
    window() = default;

    /// From now on the first `some` lanes may be used, and all of them when the first answer is
    /// late.
    void open(loop& on, std::size_t some)
    {
        some_ = some;
        on.post_at(*this, on.now() + late);
    }

    /// All lanes may be used.
    void open_wide()
    {
        wide_ = true;
        decided_.open();
    }

    /// Nothing is late.
    void answered() noexcept
    {
        if (decided_.is_open()) return;
        cancel();
        decided_.open();
    }

    /// Whether `lane` is to be used, as soon as that is known.
    task<bool> uses(std::size_t lane)
    {
        if (lane < some_) co_return true;
        co_await decided_.opened();
        co_return wide_;
    }

private:
    static constexpr duration late = std::chrono::milliseconds(20);

    void fire() override { open_wide(); }

    std::size_t some_ = 0;
    bool wide_ = false;
    gate decided_;
};

}  // namespace papilio::detail
