#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/text.hpp>
#include <papilio/session/problem.hpp>
#include <papilio/session/run_client.hpp>

#include <string>
#include <system_error>

// Why a program cannot join its run, in sentences that say what to change.
namespace papilio::inline PAPILIO_MODE::detail {

/// The reason of a failed connection, without the address.
inline std::string failed_connection(const std::system_error& failure, const std::string& where)
{
    std::string text = printable(sentence(failure));
    for (const auto& said : {"cannot reach " + where + ": ", where + ": ",
                             "no connection with peer 0 at " + where + ": "})
        if (text.starts_with(said)) text.erase(0, said.size());
    return text;
}

[[noreturn]] inline void explain_join(const std::system_error& failure, const run_client_options& o)
{
    if (dynamic_cast<const problem*>(&failure) || failure.code() == errc::run_over) throw;
    const std::string where = tcp::to_string(o.rendezvous);
    const auto code = failure.code();
    const auto says = [&](const std::string& text) { throw problem(code, text); };
    if (code == errc::refused)
        says("the rendezvous at " + where + " does not take this " + o.member_called + ": " +
             printable(sentence(failure)));
    if (code == std::errc::resource_unavailable_try_again)
        says("the rendezvous at " + where + " does not take this " + o.member_called +
             " yet: " + printable(sentence(failure)));
    if (code == errc::bad_message || code == errc::too_large)
        says("what answers at " + where + " is no rendezvous of this version (" + code.message() +
             "): give the address at which the " + o.host_called +
             " listens, and use the same version");
    if (code == errc::timed_out || code == errc::disconnected || code == errc::silent)
        says("there is no rendezvous at " + where + " (" + failed_connection(failure, where) +
             "): start the " + o.host_called + ", or correct the address");
    throw;
}

}  // namespace papilio::detail
