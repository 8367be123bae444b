#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/call_numbers.hpp>
#include <papilio/wire/abort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Which calls of a group are under way here, and which are to end, now or when they begin: a call
/// that another peer has aborted ends here, however far either of the two is. Sends nothing.
class open_calls {
public:
    /// Why a call was ended from outside.
    struct ending {
        int aborter = -1;  // none: the communicator has gone
        std::string reason;
    };

    /// How a call ends to which this peer has said yes when it is aborted. Dropping it would leave
    /// open whether it has succeeded elsewhere. By votes it fails everywhere or nowhere: it goes on
    /// until the others have said yes, too, or no, since it was aborted before their yes.
    enum class ends_by : std::uint8_t { votes, dropping };

    /// One call, from its begin to its end here. Throws `errc::bad_argument` while another one runs
    /// under its number.
    class entry {
    public:
        entry(open_calls& of, std::uint32_t number, ends_by how)
            : of_(of), id_{number, of.numbers_.begin(number)}, how_(how)
        {
            of_.running_.push_back(this);
            const auto found = of_.doomed_.find(id_);
            if (found == of_.doomed_.end()) return;
            end(found->second);
            of_.doomed_.erase(found);
        }
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry()
        {
            std::erase(of_.running_, this);
            of_.numbers_.end(id_.number);
            if (of_.running_.empty()) of_.idle_.open();
        }

        /// Null while nobody has ended the call.
        const ending* ended() const noexcept { return ending_.get(); }

        /// Opens when the call is to be dropped.
        gate& end_gate() noexcept { return gate_; }

    private:
        friend class open_calls;
        void end(std::shared_ptr<const ending> why, bool drops = true) noexcept
        {
            ending_ = std::move(why);
            if (drops) gate_.open();
        }

        open_calls& of_;
        wire::aborted_call id_;
        ends_by how_;
        std::shared_ptr<const ending> ending_;
        gate gate_;
    };

    /// The number of the next call that names none.
    std::uint32_t next_number() noexcept { return numbers_.next(); }

    /// What an abort by this peer hits: the calls of these numbers, each the one that runs or else
    /// the next. Without numbers all that run, or else the next one that names no number.
    std::vector<wire::aborted_call> targets(std::vector<std::uint32_t> numbers) const
    {
        if (numbers.empty())
            for (const auto* e : running_)
                if (!e->ended()) numbers.push_back(e->id_.number);
        if (numbers.empty()) numbers.push_back(numbers_.upcoming());
        std::vector<wire::aborted_call> hit;
        for (const auto n : numbers) {
            const auto* const e = running(n);
            hit.push_back(e ? e->id_ : wire::aborted_call{n, numbers_.begun(n)});
        }
        return hit;
    }

    /// Whether `end` would change anything.
    bool would_end(const std::vector<wire::aborted_call>& calls) const
    {
        return std::ranges::any_of(calls, [&](const auto& call) {
            const auto* const e = running(call.number);
            return e && e->id_ == call ? !e->ended() : is_to_come(call);
        });
    }

    /// Ends those of `calls` that run, and will end at their begin those that have not begun. What
    /// has ended stays as it is, and so does what was to end already. Returns those that the others
    /// should be told of by a no in this peer's name, since it would begin them next.
    std::vector<std::uint32_t> end(const std::vector<wire::aborted_call>& calls, ending why,
                                   call_numbers& of_transport)
    {
        const auto shared = std::make_shared<const ending>(std::move(why));
        std::vector<std::uint32_t> not_begun;
        for (const auto& call : calls) {
            auto* const e = running(call.number);
            if (e && e->id_ == call) {
                if (e->ended()) continue;
                const bool drops = of_transport.forbid(call.number) || e->how_ == ends_by::dropping;
                e->end(shared, drops);
            } else if (is_to_come(call)) {
                doomed_.emplace(call, shared);
                if (!e && call.attempt == numbers_.begun(call.number))
                    not_begun.push_back(call.number);
            }
        }
        return not_begun;
    }

    /// The communicator goes: all that run end.
    void end_all()
    {
        const auto shared = std::make_shared<const ending>();
        for (auto* e : running_) e->end(shared);
    }

    bool idle() const noexcept { return running_.empty(); }

    /// Opens when the last call has ended.
    gate& idle_gate() noexcept
    {
        if (!idle()) idle_.close();
        return idle_;
    }

private:
    // An honest peer is a few calls ahead.
    static constexpr std::size_t most_doomed = 65536;

    entry* running(std::uint32_t number) const noexcept
    {
        const auto found =
            std::ranges::find(running_, number, [](const entry* e) { return e->id_.number; });
        return found == running_.end() ? nullptr : *found;
    }

    /// Has not begun, and would begin as usual. Attempts count modulo 2^15: those up to half of
    /// that ahead have not begun.
    bool is_to_come(const wire::aborted_call& call) const
    {
        const auto ahead = (call.attempt - numbers_.begun(call.number)) & wire::max_aborted_attempt;
        return ahead <= wire::max_aborted_attempt / 2 && doomed_.size() < most_doomed &&
               !doomed_.contains(call);
    }

    call_numbers numbers_;
    std::vector<entry*> running_;
    std::map<wire::aborted_call, std::shared_ptr<const ending>> doomed_;  // not begun
    gate idle_;
};

}  // namespace papilio::detail
