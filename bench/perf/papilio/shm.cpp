#include "perf/papilio/system.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/shm.hpp>

namespace papilio::perf {

namespace {

shm::options transport_options(int peers)
{
    shm::options t;
    t.max_peers = peers;
    t.handshake = std::chrono::seconds(30);  // the machine may be busy
    return t;
}

class in_shared_memory final : public papilio_contestant {
public:
    in_shared_memory(const papilio_form& f, const options& o, const place& p)
        : papilio_contestant(f, o, p.peers),
          net_(loop_, p.rank, std::vector<shm::address>(static_cast<std::size_t>(p.peers)),
               transport_options(p.peers))
    {
        const auto own = net_.local();
        const auto all = p.exchange(own.host + ' ' + own.name);
        for (int peer = 0; peer < p.peers; ++peer) {
            const auto& text = all.at(static_cast<std::size_t>(peer));
            const auto space = text.find(' ');
            if (peer != p.rank)
                net_.introduce(peer, {text.substr(0, space), text.substr(space + 1)});
        }
        sync_wait(loop_, net_.connect());
    }

    call_facts call() override { return facts_from(sync_wait(loop_, start(any_transport(net_)))); }

private:
    asio_loop loop_;
    shm::transport net_;
};

}  // namespace

std::unique_ptr<contestant> join_shm(const papilio_form& f, const options& o, const place& p)
{
    return std::make_unique<in_shared_memory>(f, o, p);
}

}  // namespace papilio::perf
