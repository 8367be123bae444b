#include "perf/papilio/system.hpp"

#include "perf/papilio/call.hpp"

#include <papilio/plan/balance.hpp>

namespace papilio::perf {

papilio_contestant::papilio_contestant(const papilio_form& f, const options& o, int peers)
    : form_(f), options_(o), peers_(peers)
{
    if (!f.links.empty() && !o.even_parts) shares_ = balanced_shares(f.links);
    if (o.threads > 0) pool_ = std::make_unique<workers>(static_cast<unsigned>(o.threads));
}

bool papilio_contestant::takes(const job& j) const
{
    return find_call(j.type, j.op, form_.codec) != nullptr;
}

void papilio_contestant::prepare(const job& j, const void* in, void* out)
{
    job_ = j;
    in_ = in;
    out_ = out;
}

task<report> papilio_contestant::start(any_transport net) const
{
    const call_options call{
        .timeout = std::chrono::duration_cast<duration>(
            std::chrono::duration<double>(options_.timeout_seconds)),
        .shares = shares_,
        .chunk_bytes = options_.chunk_bytes,
        .in_flight = options_.in_flight,
        .pool = pool_.get(),
    };
    return find_call(job_.type, job_.op, form_.codec)(net, in_, out_,
                                                      static_cast<std::size_t>(job_.count), call);
}

call_facts papilio_contestant::facts_from(const report& r) const
{
    call_facts f{true, static_cast<double>(r.bytes_sent()), 0};
    for (const auto& range : r.made_of)
        f.lost = std::max(f.lost, peers_ - static_cast<int>(range.from.size()));
    return f;
}

data_kind papilio_contestant::data() const
{
    return facts_of(form_.codec).coarseness > 0 ? data_kind::normal : data_kind::exact;
}

/// Contributions are rounded once, and what they add up to once more.
double papilio_contestant::tolerance(const job& j) const
{
    const auto once = facts_of(form_.codec).coarseness * largest_normal;
    return 2 * once * (j.op == reduction::avg ? 1 : peers_);
}

}  // namespace papilio::perf
