#pragma once

// For authors of transports: includes headers of Asio's.

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>

#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::tcp::detail {

using addresses = std::vector<asio::ip::address>;

/// The addresses of a host, in the order in which the system would try them. Blocks for as long as
/// the system asks its DNS servers. Throws the resolver's error.
inline addresses system_lookup(const std::string& host)
{
    asio::io_context unused;
    asio::ip::tcp::resolver resolver(unused);
    addresses found;
    for (const auto& entry : resolver.resolve(host, "0"))
        found.push_back(entry.endpoint().address());
    return found;
}

/// The same for who cannot await. Gives up after `limit`, with `errc::timed_out`.
inline addresses lookup_within(const std::string& host, duration limit)
{
    std::error_code no_number;
    const auto number = asio::ip::make_address(host, no_number);
    if (!no_number) return addresses(1, number);
    std::packaged_task<addresses()> work([host] { return system_lookup(host); });
    auto found = work.get_future();
    std::thread(std::move(work)).detach();
    if (found.wait_for(limit) != std::future_status::ready)
        throw std::system_error(errc::timed_out, "no DNS server answers about " + host);
    return found.get();
}

/// Finds addresses of names. The system's lookup blocks, and cannot be cancelled: it runs on a
/// thread of its own, one for each name at a time, that neither the loop nor this object waits for.
/// An answer that comes after the patience of those who asked serves those who ask again. Belongs
/// to `on`; must outlive the tasks that use it.
class resolver {
public:
    using lookup = std::function<addresses(const std::string& host)>;

    explicit resolver(loop& on, lookup how = system_lookup) : loop_(on), lookup_(std::move(how)) {}
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    ~resolver()
    {
        for (auto& [host, q] : queries_) abandon(*q);
    }

    /// Numbers are used as they are. Throws the resolver's error.
    task<addresses> resolve(std::string host)
    {
        std::error_code no_number;
        const auto number = asio::ip::make_address(host, no_number);
        if (!no_number) co_return addresses(1, number);
        const auto asked = ask(host);
        co_await asked->answered.opened();
        if (asked->failure) std::rethrow_exception(asked->failure);
        co_return asked->found;
    }

private:
    /// One lookup. Shared with its thread, which may outlive the loop.
    struct query final : event {
        query(resolver& asker, std::string name) : by(&asker), host(std::move(name)) {}

        /// On the loop, once the answer is there.
        void fire() override
        {
            {
                const std::lock_guard left(guard);  // its thread has left the loop
            }
            by->loop_.work_finished();
            answered.open();
            by->queries_.erase(std::string(host));  // may destroy this object
        }

        resolver* by;  // null once the answer is not awaited any more
        const std::string host;
        addresses found;
        std::exception_ptr failure;
        gate answered;
        std::mutex guard;  // of `by`, for the thread
    };

    std::shared_ptr<query> ask(const std::string& host)
    {
        auto& q = queries_[host];
        if (q) return q;
        try {
            q = std::make_shared<query>(*this, host);
            std::thread(answer, q, lookup_).detach();
        } catch (...) {
            queries_.erase(host);
            throw;
        }
        loop_.work_started();
        return q;
    }

    /// On a thread of its own.
    static void answer(std::shared_ptr<query> q, lookup how)
    {
        try {
            q->found = how(q->host);
        } catch (...) {
            q->failure = std::current_exception();
        }
        const std::lock_guard lock(q->guard);
        if (q->by) q->by->loop_.post_from_any_thread(*q);
    }

    /// The thread has posted the answer by now, or never will.
    static void abandon(query& q)
    {
        const std::lock_guard lock(q.guard);
        q.cancel();
        q.by->loop_.work_finished();
        q.by = nullptr;
    }

    loop& loop_;
    lookup lookup_;
    std::map<std::string, std::shared_ptr<query>> queries_;  // that are not answered
};

}  // namespace papilio::tcp::detail
