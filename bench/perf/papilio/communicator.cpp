#include "perf/channel.hpp"
#include "perf/papilio/backend.hpp"
#include "perf/papilio/call.hpp"

#include <papilio/async/asio_loop.hpp>
#include <papilio/session/communicator.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <algorithm>

namespace papilio::perf {

namespace {

/// Whether calls of a communicator are compiled for it.
bool is_compiled(const job& j, const std::string& codec)
{
    constexpr std::string_view coded[] = {"as_f16", "as_bf16",  "int8b",
                                          "int4b",  "int4b_32", "nf4b"};
    const bool plain = codec == "identity" || codec == "as-many-bytes";
    return plain ? j.type != element_type::i8 : std::ranges::find(coded, codec) != std::end(coded);
}

communicator join(const options& o, const place& p)
{
    const auto own = [&] {
        asio_loop loop;
        return tcp::listener(loop, {p.address, 0}).local();  // free from here on, most likely
    }();
    const auto first = unpack(p.exchange(pack({own.host, std::to_string(own.port)})).front());
    communicator_options how;
    how.links = tcp_options(o, p.peers);
    how.shared_memory = o.transport == "auto";
    const auto port = static_cast<std::uint16_t>(std::stoi(first.at(1)));
    return communicator::meet(p.rank, p.peers, {first.at(0), port}, how);
}

class by_communicator final : public papilio_backend {
public:
    by_communicator(const papilio_form& f, const options& o, const place& p)
        : papilio_backend(f, o, p.peers), group_(join(o, p))
    {
    }

    bool takes(const job& j) const override
    {
        return papilio_backend::takes(j) && is_compiled(j, form().codec);
    }

    call_facts call() override { return facts_from(make()); }

private:
    report make() const
    {
        const auto& j = asked();
        const auto op = id_of(j.op);
        const auto codec = codec_id_of(form().codec);
        const auto takes = input_of(j, group_.rank(), group_.size());
        const auto gives = output_of(j, group_.rank(), group_.size());
        const const_elements_ref from(in(), takes.size, j.type);
        const elements_ref to(out(), gives.size, j.type);
        switch (j.what) {
        case collective::reduce_scatter: return group_.reduce_scatter(from, to, op, codec, how());
        case collective::all_gather: return group_.all_gather(from, to, codec, how());
        case collective::broadcast: return group_.broadcast(to, 0, codec, how());
        case collective::all_reduce: break;
        }
        if (in() == nullptr) return group_.all_reduce_in_place(to, op, codec, how());
        return group_.all_reduce(from, to, op, codec, how());
    }

    communicator group_;
};

}  // namespace

std::unique_ptr<backend> join_communicator(const papilio_form& f, const options& o, const place& p)
{
    return std::make_unique<by_communicator>(f, o, p);
}

}  // namespace papilio::perf
