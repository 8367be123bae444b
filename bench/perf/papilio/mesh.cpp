#include "perf/channel.hpp"
#include "perf/congestion.hpp"
#include "perf/papilio/backend.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/hybrid.hpp>
#include <papilio/transport/shm.hpp>
#include <papilio/transport/tcp.hpp>

namespace papilio::perf {

namespace {

constexpr auto patience = std::chrono::seconds(30);  // the machine may be busy

// Conversion of a peer's address to a text and back.

std::string as_text(const tcp::endpoint& at)
{
    return pack({at.host, std::to_string(at.port)});
}
std::string as_text(const shm::address& at)
{
    return pack({at.host, at.name});
}
std::string as_text(const hybrid::address& at)
{
    return pack({as_text(at.tcp), as_text(at.local)});
}

void read(const std::string& text, tcp::endpoint& at)
{
    const auto parts = unpack(text);
    at = {parts.at(0), static_cast<std::uint16_t>(std::stoi(parts.at(1)))};
}
void read(const std::string& text, shm::address& at)
{
    const auto parts = unpack(text);
    at = {parts.at(0), parts.at(1)};
}
void read(const std::string& text, hybrid::address& at)
{
    const auto parts = unpack(text);
    read(parts.at(0), at.tcp);
    read(parts.at(1), at.local);
}

shm::options shm_options(int peers)
{
    shm::options s;
    s.max_peers = peers;
    s.handshake_timeout = patience;
    return s;
}

/// One peer of a mesh over a transport of any type.
template <class Transport, class Address, class Options>
class in_mesh final : public papilio_backend {
public:
    in_mesh(const papilio_form& f, const options& o, const place& p, const Address& own,
            const Options& how)
        : papilio_backend(f, o, p.peers),
          net_(loop_, p.rank, std::vector<Address>(static_cast<std::size_t>(p.peers), own), how)
    {
        const auto all = p.exchange(as_text(net_.local()));
        for (int peer = 0; peer < p.peers; ++peer) {
            if (peer == p.rank) continue;
            Address at;
            read(all.at(static_cast<std::size_t>(peer)), at);
            net_.set_address(peer, at);
        }
        sync_wait(loop_, net_.connect());
    }

    std::byte* memory(std::size_t size) override
    {
        if constexpr (requires { net_.allocate(size); }) {
            if (!form().allocates) return nullptr;
            memory_ = {};
            memory_ = net_.allocate(size);
            return memory_.get().data();
        } else {
            return nullptr;
        }
    }

    /// What calls of earlier jobs have left is not this job's memory.
    void prepare(const job& j, const void* in, void* out) override
    {
        loop_.release_memory();
        papilio_backend::prepare(j, in, out);
    }

    call_facts call() override { return facts_from(sync_wait(loop_, start(any_transport(net_)))); }

private:
    asio_loop loop_;
    Transport net_;
    shm::allocated_memory memory_;
};

}  // namespace

tcp::options tcp_options(const options& o, int peers)
{
    // The same congestion control as the rivals, even if another one would suit the links better.
    static const std::string congestion = congestion_in_use();
    tcp::options t;
    t.congestion = congestion.c_str();
    t.connections = o.streams;
    t.adaptive = o.adaptive;
    if (o.crc == "always") t.crc = tcp::content_crc::always;
    if (o.crc == "never") t.crc = tcp::content_crc::never;
    t.max_peers = peers;
    t.handshake_timeout = patience;
    return t;
}

std::unique_ptr<backend> join_mesh(const papilio_form& f, const options& o, const place& p)
{
    if (o.transport == "shm")
        return std::make_unique<in_mesh<shm::transport, shm::address, shm::options>>(
            f, o, p, shm::address{}, shm_options(p.peers));
    const tcp::endpoint own{p.address, 0};
    if (o.transport == "auto")
        return std::make_unique<in_mesh<hybrid::transport, hybrid::address, hybrid::options>>(
            f, o, p, hybrid::address{own, {}}, hybrid::options{.tcp = tcp_options(o, p.peers)});
    return std::make_unique<in_mesh<tcp::transport, tcp::endpoint, tcp::options>>(
        f, o, p, own, tcp_options(o, p.peers));
}

}  // namespace papilio::perf
