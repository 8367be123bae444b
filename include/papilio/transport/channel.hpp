#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

// clang-format off

/// Sends and receives whole messages between two processes, for requests before or beside a mesh.
/// Movable; its tasks refer to it and must be dropped before it is destroyed.
///
/// `send` finishes when the message no longer needs the caller's buffer, and waits while too much
/// is queued already. `recv`, one at a time, returns the next message; it throws `errc::too_large`,
/// before anything is allocated, when that is longer than `limit`, and `errc::disconnected` at the
/// end. A dropped `recv` loses nothing. `close` shuts the channel down and finishes when the other
/// side has received everything, or after a time limit. Destroying a channel closes it at once.
/// `remote` is the host of the other side if it is known, else empty.
template <class C>
concept channel = std::movable<C> && requires(C& c, bytes message, std::size_t limit) {
    { c.send(message) } -> std::same_as<task<>>;
    { c.recv(limit) } -> std::same_as<task<std::vector<std::byte>>>;
    { c.close() } -> std::same_as<task<>>;
    { c.remote() } -> std::same_as<std::string>;
};

/// Accepts channels: awaiting `accept()` gives the next one.
template <class L>
concept channel_source = requires(L& l) {
    { l.accept() };
    requires channel<typename decltype(l.accept())::value_type>;
};

// clang-format on

/// Any channel behind one type. Owns the channel.
class any_channel {
public:
    template <class C>
    requires(!std::same_as<C, any_channel>) && channel<C>  // this order avoids a recursion
        explicit any_channel(C c) : model_(std::make_unique<model<C>>(std::move(c)))
    {
    }

    task<> send(bytes message) { return model_->send(message); }
    task<std::vector<std::byte>> recv(std::size_t limit) { return model_->recv(limit); }
    task<> close() { return model_->close(); }
    std::string remote() const { return model_->remote(); }

private:
    struct concept_type {
        virtual ~concept_type() = default;
        virtual task<> send(bytes message) = 0;
        virtual task<std::vector<std::byte>> recv(std::size_t limit) = 0;
        virtual task<> close() = 0;
        virtual std::string remote() = 0;
    };

    template <class C>
    struct model final : concept_type {
        explicit model(C c) : held(std::move(c)) {}
        task<> send(bytes message) override { return held.send(message); }
        task<std::vector<std::byte>> recv(std::size_t limit) override { return held.recv(limit); }
        task<> close() override { return held.close(); }
        std::string remote() override { return held.remote(); }
        C held;
    };

    std::unique_ptr<concept_type> model_;
};

}  // namespace papilio
