#include "all_reduce/contestant.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/base/check.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/plan/balance.hpp>
#include <papilio/transport/tcp.hpp>

#include <optional>

namespace papilio::bench {

namespace {

tcp::options transport_options(const options& o)
{
    tcp::options t;
    t.connections = o.connections;
    t.max_peers = o.peers;
    t.handshake = std::chrono::seconds(30);  // the machine may be busy
    return t;
}

template <class Codec>
class member final : public contestant {
public:
    /// `coarseness` is what the codec rounds by, relative to the largest of its neighbours.
    member(const place& p, const options& o, double coarseness)
        : options_(o),
          tolerance_(2 * 128.0 * p.peers * coarseness),
          net_(loop_, p.rank,
               std::vector<tcp::endpoint>(static_cast<std::size_t>(p.peers),
                                          {address_of(p, p.rank), 0}),
               transport_options(o))
    {
        if (!o.links.empty()) shares_ = balanced_shares(o.links);
        if (o.threads > 0) pool_.emplace(static_cast<unsigned>(o.threads));
        p.ports[static_cast<std::size_t>(p.rank)] = net_.local().port;
        p.meeting.meet();
        for (int peer = 0; peer < p.peers; ++peer)
            if (peer != p.rank)
                net_.introduce(peer,
                               {address_of(p, peer), p.ports[static_cast<std::size_t>(peer)]});
        sync_wait(loop_, net_.connect());
    }

    void prepare(std::span<const float> in, std::span<float> out) override
    {
        in_ = in;
        out_ = out;
    }

    void sum() override
    {
        const call_options call{.shares = shares_,
                                .chunk_bytes = options_.chunk_bytes,
                                .in_flight = options_.in_flight,
                                .pool = pool_ ? &*pool_ : nullptr};
        if (in_.empty())
            sync_wait(loop_, all_reduce(net_, out_, papilio::sum{}, Codec{}, call));
        else
            sync_wait(loop_, all_reduce(net_, in_, out_, papilio::sum{}, Codec{}, call));
    }

    double tolerance() const override { return tolerance_; }

private:
    options options_;
    double tolerance_;
    std::span<const float> in_;
    std::span<float> out_;
    std::vector<double> shares_;
    std::optional<workers> pool_;
    asio_loop loop_;
    tcp::transport net_;
};

}  // namespace

std::unique_ptr<contestant> join_papilio(const place& p, const options& o)
{
    if (o.codec == "identity") return std::make_unique<member<identity>>(p, o, 0);
    if (o.codec == "as_f16") return std::make_unique<member<as_f16>>(p, o, 0x1p-11);
    if (o.codec == "as_bf16") return std::make_unique<member<as_bf16>>(p, o, 0x1p-8);
    PAPILIO_CHECK(o.codec == "int8b", "the command line takes no other codecs");
    return std::make_unique<member<int8b>>(p, o, 1.01 / 252);
}

}  // namespace papilio::bench
