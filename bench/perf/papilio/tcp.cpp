#include "perf/papilio/system.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/tcp.hpp>

namespace papilio::perf {

namespace {

tcp::options transport_options(const options& o, int peers)
{
    tcp::options t;
    t.connections = o.streams;
    t.adaptive = o.adaptive;
    t.max_peers = peers;
    t.handshake = std::chrono::seconds(30);  // the machine may be busy
    return t;
}

class over_tcp final : public papilio_contestant {
public:
    over_tcp(const papilio_form& f, const options& o, const place& p)
        : papilio_contestant(f, o, p.peers),
          net_(loop_, p.rank,
               std::vector<tcp::endpoint>(static_cast<std::size_t>(p.peers), {p.address, 0}),
               transport_options(o, p.peers))
    {
        const auto all = p.exchange(p.address + ' ' + std::to_string(net_.local().port));
        for (int peer = 0; peer < p.peers; ++peer) {
            const auto& text = all.at(static_cast<std::size_t>(peer));
            const auto space = text.find(' ');
            const auto port = static_cast<std::uint16_t>(std::stoi(text.substr(space + 1)));
            if (peer != p.rank) net_.introduce(peer, {text.substr(0, space), port});
        }
        sync_wait(loop_, net_.connect());
    }

    call_facts call() override { return facts_from(sync_wait(loop_, start(any_transport(net_)))); }

private:
    asio_loop loop_;
    tcp::transport net_;
};

}  // namespace

std::unique_ptr<contestant> join_tcp(const papilio_form& f, const options& o, const place& p)
{
    return std::make_unique<over_tcp>(f, o, p);
}

}  // namespace papilio::perf
