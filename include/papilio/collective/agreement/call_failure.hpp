#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/collective/call_error.hpp>

#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// The failure of a call at this peer, from the exception that ended its part.
class call_failure {
public:
    /// `where` is the phase in which peer `me` was.
    call_failure(std::exception_ptr thrown, int me, phase where)
        : thrown_(std::move(thrown)), me_(me), error_(as_call_error(thrown_, me, where))
    {
    }

    /// The failure as the other peers are told of it.
    const call_error& error() const noexcept { return error_; }

    /// Whether it is one of those that the library expects.
    bool expected() const { return is_expected(thrown_); }

    void write_to_log(std::uint32_t call) const
    {
        log(log_level::warning, "call failed", {"call", "rank", "culprit", "phase", "why"}, call,
            me_, error_.culprit(), name(error_.where()), error_.detail());
    }

    /// Throws a `call_error` to the caller; an exception that the library does not expect, such as
    /// that memory has run out, is thrown as it is.
    [[noreturn]] void rethrow(bool outcome_unknown) const
    {
        if (!is_expected(thrown_)) std::rethrow_exception(thrown_);
        if (!outcome_unknown) throw error_;
        throw call_error(errc::outcome_unknown, error_.culprit(), me_, phase::vote,
                         error_.detail());
    }

private:
    static call_error as_call_error(const std::exception_ptr& thrown, int me, phase where)
    {
        try {
            std::rethrow_exception(thrown);
        } catch (const call_error& known) {
            return known;
        } catch (const std::system_error& fault) {
            return {fault.code(), me, me, where, sentence(fault)};
        } catch (...) {
            return {errc::peer_failed, me, me, where};
        }
    }

    static bool is_expected(const std::exception_ptr& thrown)
    {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::system_error&) {
            return true;
        } catch (...) {
            return false;
        }
    }

    std::exception_ptr thrown_;
    int me_;
    call_error error_;
};

}  // namespace papilio::detail
