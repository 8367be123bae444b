#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>

#include <chrono>
#include <cstddef>

namespace papilio::inline PAPILIO_MODE::detail {

/// Decides how many of a call's pipeline slots are in use.
///
/// On links with next to no latency, two slots move as much as many, and the data that they carry
/// is still in the cache when it is reduced: there the other slots wait for the first answer. If it
/// comes soon they are not needed. If it is late, a link or a peer is slow: then all slots are
/// used, so that fast links are not idle while slow ones are waited for, and show their capacity.
class slot_gate final : public event {
public:
    slot_gate() = default;

    /// From now on the first `some` slots may be used, and all of them when the first answer is
    /// late.
    void open(loop& on, std::size_t some)
    {
        some_ = some;
        on.post_at(*this, on.now() + late);
    }

    /// All slots may be used.
    void open_wide()
    {
        wide_ = true;
        decided_.open();
    }

    /// An answer has come in time.
    void answered() noexcept
    {
        if (decided_.is_open()) return;
        cancel();
        decided_.open();
    }

    /// Whether `slot` is to be used, as soon as that is known.
    task<bool> uses(std::size_t slot)
    {
        if (slot < some_) co_return true;
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
