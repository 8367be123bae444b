#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/connection.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/detail/send_queue.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/loan.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

// What a connection sends: a part of connection.hpp, which includes it.
namespace papilio::inline PAPILIO_MODE::detail {

/// Where a message lies, if it is lent.
struct sent_loan {
    sent_loan(lending* by, tag t, bytes body)
    {
        if (by) loan = by->lend(t, body);
        if (loan) encoded = wire::encode(loan->where);
    }

    std::optional<made_loan> loan;
    std::array<std::byte, wire::loan::encoded_size> encoded{};
};

/// One message that a task sends.
class [[nodiscard]] connection::outgoing final : sent_loan,
                                                 send_queue::message,
                                                 send_window::message {
public:
    outgoing(connection& c, tag t, bytes body, int priority)
        : sent_loan(c.ended() ? nullptr : c.stream_->lending(), t, body),
          send_queue::message(loan ? wire::loan_tag : t, loan ? bytes(encoded) : body, priority),
          send_window::message(t, loan ? encoded.size() : body.size()),
          connection_(c),
          priority_(priority)
    {
        if (loan) connection_.loans_.emplace(loan->where.number, this);
    }
    ~outgoing()
    {
        if (waits() || (queued_ && connection_.queue_.withdraw(*this))) {
            connection_.window_.forget(*this);
            told_ = false;
        }
        settle_loan();
    }

    /// A message that may be sent, and finds the queue empty, is written at once.
    bool await_ready()
    {
        error_ = connection_.end_;
        if (error_) return true;
        if (!connection_.window_.admits(*this)) return false;
        const bool is_next = connection_.queue_.empty();
        push();
        if (is_next) connection_.flush();
        return !queued_ && !loan;
    }

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        if (queued_) connection_.has_work_.open();
    }

    void await_resume() const
    {
        if (error_) throw std::system_error(error_);
    }

private:
    friend class connection;

    void tell(const wire::flow& f) override { connection_.send_flow(f, priority_); }
    /// The stream may have ended meanwhile, while others of the link go on.
    void permitted() override
    {
        if (connection_.ended()) return end(connection_.end_);
        push();
        connection_.has_work_.open();
    }
    void push()
    {
        connection_.queue_.push(*this);
        queued_ = told_ = true;
    }
    void ended(std::error_code why) override { end(why); }
    void finish(std::error_code error) noexcept override
    {
        queued_ = false;
        if (error || !loan || loan->copied) end(error);
    }

    /// The caller's buffer is needed no longer.
    void end(std::error_code error) noexcept
    {
        settle_loan();
        error_ = error;
        if (on_) on_->post(wake_);
    }
    /// A copy that the other end knows of stays until it is returned.
    void settle_loan() noexcept
    {
        if (!loan) return;
        const auto number = loan->where.number;
        connection_.loans_.erase(number);
        if (!loan->copied || !told_) connection_.stream_->lending()->take_back(number, told_);
        loan.reset();
    }

    connection& connection_;
    int priority_;
    bool queued_ = false;
    bool told_ = false;  // the other end of the loan
    std::error_code error_;
    loop* on_ = nullptr;
    resume wake_;
};

/// The other end is through with a loan. The send may have been dropped before.
inline void connection::take_returned(std::uint64_t number)
{
    const auto found = loans_.find(number);
    const bool known = found != loans_.end();
    if (known && found->second->queued_) return;  // a lie: it has not been told
    auto* const lending = stream_->lending();
    if (!lending) throw std::system_error(errc::bad_message, "nothing is lent over this link");
    bytes_returned_ += lending->returned(number);
    if (known) found->second->end({});
}

inline void connection::end(std::error_code why)
{
    if (end_) return;
    end_ = why;
    *returns_ = nullptr;
    stream_->close();
    queue_.fail(why);
    while (!loans_.empty()) loans_.begin()->second->end(why);
    frames_.abort();
    owner_.on_end(why);
}

inline connection::outgoing connection::send(tag t, bytes message, int priority)
{
    return {*this, t, message, priority};
}

inline connection::connection(loop& on, std::unique_ptr<byte_stream> s, mailbox& inbox, int peer,
                              std::size_t max_message, send_window& window, connection_owner& owner)
    : loop_(on),
      window_(window),
      stream_(std::move(s)),
      queue_(stream_->content_check()),
      frames_(inbox, peer, max_message, stream_->content_check(),
              stream_->lending() ? this : nullptr),
      owner_(owner)
{
    reader_.start(loop_);
    writer_.start(loop_);
}

/// What waits to be posted is lost.
inline connection::~connection()
{
    if (!end_) end_ = errc::disconnected;
    *returns_ = nullptr;
}

}  // namespace papilio::detail
