#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/base.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Any transport behind one type, for code that is to be compiled once or must not see vendor
/// headers, such as a `.cu`. Borrows the transport, which must outlive all copies and their tasks.
class any_transport {
public:
    template <transport Net>
    requires(!std::same_as<Net, any_transport>)  //
        explicit any_transport(Net& net)
        : model_(std::make_shared<model<Net>>(net))
    {
    }

    int rank() const { return model_->rank(); }
    int size() const { return model_->size(); }
    task<> send(int peer, tag t, bytes message) { return model_->send(peer, t, message); }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        return model_->recv(peer, t, into);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent)
    {
        return model_->recv(peer, t, into, lent);
    }
    /// Null where the transport does not number calls.
    call_numbers* calls() { return model_->calls(); }

    bool post(int peer, tag t, bytes message) { return model_->post(peer, t, message); }
    void begin_call(tag t) { model_->begin_call(t); }
    void discard_call(tag t) { model_->discard_call(t); }
    bool watch_call(tag t, gate& heard) { return model_->watch_call(t, heard); }
    void unwatch_call(const gate& heard) { model_->unwatch_call(heard); }
    void leave_answer(tag t, std::vector<std::byte> answer)
    {
        model_->leave_answer(t, std::move(answer));
    }
    void prioritise(tag t, int priority) { model_->prioritise(t, priority); }
    time_point last_heard(int peer) { return model_->last_heard(peer); }
    std::optional<duration> heartbeat() { return model_->heartbeat(); }
    std::optional<std::uint64_t> arrived(int peer) { return model_->arrived(peer); }
    std::optional<duration> round_trip(int peer) { return model_->round_trip(peer); }
    task<bool> shares_host(int peer) { return model_->shares_host(peer); }

private:
    struct concept_type {
        virtual ~concept_type() = default;
        virtual int rank() = 0;
        virtual int size() = 0;
        virtual task<> send(int peer, tag t, bytes message) = 0;
        virtual task<std::size_t> recv(int peer, tag t, mutable_bytes into) = 0;
        virtual task<std::size_t> recv(int peer, tag t, mutable_bytes into,
                                       detail::lent_ptr& lent) = 0;
        virtual call_numbers* calls() = 0;
        virtual bool post(int peer, tag t, bytes message) = 0;
        virtual void begin_call(tag t) = 0;
        virtual void discard_call(tag t) = 0;
        virtual bool watch_call(tag t, gate& heard) = 0;
        virtual void unwatch_call(const gate& heard) = 0;
        virtual void leave_answer(tag t, std::vector<std::byte> answer) = 0;
        virtual void prioritise(tag t, int priority) = 0;
        virtual time_point last_heard(int peer) = 0;
        virtual std::optional<duration> heartbeat() = 0;
        virtual std::optional<std::uint64_t> arrived(int peer) = 0;
        virtual std::optional<duration> round_trip(int peer) = 0;
        virtual task<bool> shares_host(int peer) = 0;
    };

    template <class Net>
    struct model final : concept_type {
        explicit model(Net& n) : net(n) {}
        int rank() override { return net.rank(); }
        int size() override { return net.size(); }
        task<> send(int peer, tag t, bytes message) override { return net.send(peer, t, message); }
        task<std::size_t> recv(int peer, tag t, mutable_bytes into) override
        {
            return net.recv(peer, t, into);
        }
        task<std::size_t> recv(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent) override
        {
            return detail::recv(net, peer, t, into, lent);
        }
        call_numbers* calls() override { return detail::calls(net); }
        bool post(int peer, tag t, bytes message) override
        {
            return detail::post(net, peer, t, message);
        }
        void begin_call(tag t) override { detail::begin_call(net, t); }
        void discard_call(tag t) override { detail::discard_call(net, t); }
        bool watch_call(tag t, gate& heard) override { return detail::watch_call(net, t, heard); }
        void unwatch_call(const gate& heard) override { detail::unwatch_call(net, heard); }
        void leave_answer(tag t, std::vector<std::byte> answer) override
        {
            detail::leave_answer(net, t, std::move(answer));
        }
        void prioritise(tag t, int priority) override { detail::prioritise(net, t, priority); }
        time_point last_heard(int peer) override { return detail::last_heard(net, peer); }
        std::optional<duration> heartbeat() override { return detail::heartbeat(net); }
        std::optional<std::uint64_t> arrived(int peer) override
        {
            return detail::arrived(net, peer);
        }
        std::optional<duration> round_trip(int peer) override
        {
            return detail::round_trip(net, peer);
        }
        task<bool> shares_host(int peer) override { return detail::shares_host(net, peer); }
        Net& net;
    };

    std::shared_ptr<concept_type> model_;
};

}  // namespace papilio
