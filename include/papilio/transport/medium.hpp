#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/wire/hello.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// What the links of a mesh run over: it makes streams to peers, who are known by rank. For authors
/// of transports; see `addressed_medium`.
class medium {
public:
    /// Authenticates a connection. Any that it does not accept is refused when it ends.
    using handshake = std::function<task<>(std::unique_ptr<incoming>)>;

    medium() = default;
    medium(const medium&) = delete;
    medium& operator=(const medium&) = delete;
    virtual ~medium() = default;

    /// Accepts connections at the address of `rank`, this peer. Throws the system's error when it
    /// cannot listen there.
    virtual void listen(int rank, handshake authenticate) = 0;

    /// Whether this peer can dial `peer`, and whether it can be dialled by it.
    virtual bool reaches(int peer) const = 0;
    virtual bool reached_by(int peer) const = 0;

    /// One attempt at a stream. Throws when there is none.
    virtual task<dialled> dial(int peer, wire::hello h) = 0;

    /// Where `peer` is dialled, for people.
    virtual std::string text(int peer) const = 0;

    /// A number of this host and its network, the same for all processes that share both and for
    /// no others; 0 if there is none: then no peer is taken to be on this host.
    virtual std::uint64_t host() const { return 0; }
};

/// A medium in which a peer is found at an `Address`. A peer whose address is not known has a
/// default one, at which it cannot be dialled.
template <class Address>
class addressed_medium : public medium {
public:
    using address = Address;

    /// Later attempts dial `peer` there.
    void set_address(int peer, Address at) { addresses_[peer] = std::move(at); }

    void listen(int rank, handshake authenticate) final
    {
        listen_at(address_of(rank), std::move(authenticate));
    }
    bool reaches(int peer) const final { return reaches(local(), address_of(peer)); }
    bool reached_by(int peer) const final { return reaches(address_of(peer), local()); }
    task<dialled> dial(int peer, wire::hello h) final { return dial_at(address_of(peer), h); }
    std::string text(int peer) const final { return text(address_of(peer)); }

    /// Where this peer listens, as others dial it.
    virtual Address local() const = 0;

    /// Whether a peer at `from` can dial one at `to`.
    virtual bool reaches(const Address& from, const Address& to) const = 0;

    virtual void listen_at(const Address& own, handshake authenticate) = 0;
    virtual task<dialled> dial_at(Address to, wire::hello h) = 0;
    virtual std::string text(const Address& at) const = 0;

private:
    const Address& address_of(int peer) const
    {
        static const Address unknown{};
        const auto found = addresses_.find(peer);
        return found == addresses_.end() ? unknown : found->second;
    }

    std::map<int, Address> addresses_;
};

}  // namespace papilio
