#include "perf/papilio/backend.hpp"

#include "perf/papilio/call.hpp"

#include <papilio/plan/choice.hpp>
#include <papilio/plan/cost.hpp>

namespace papilio::perf {

namespace {

workload workload_of(const papilio_form& f, const job& j)
{
    const auto size = size_of(j.type);
    workload w;
    w.bytes = static_cast<std::size_t>(j.count) * size;
    if (j.type == element_type::f32) w.wire_ratio = facts_of(f.codec).bits_per_element / 32;
    return w;
}

}  // namespace

schedule schedule_for(const papilio_form& f, const options& o, const job& j)
{
    schedule given{f.radix, {}, o.chunk_bytes, o.in_flight};
    if (f.links.access.empty() || j.what != collective::all_reduce || j.count == 0) return given;
    overrides decided;
    if (!f.radix.empty()) decided.radix = f.radix;
    if (o.even_parts) decided.shares.emplace();
    decided.chunk_bytes = o.chunk_bytes;
    decided.in_flight = o.in_flight;
    return choose(f.links, workload_of(f, j), decided).how;
}

double predicted_seconds(const papilio_form& f, const options& o, const job& j)
{
    if (f.links.access.empty() || j.what != collective::all_reduce || j.count == 0) return 0;
    return predict(f.links, workload_of(f, j), schedule_for(f, o, j)).seconds;
}

papilio_backend::papilio_backend(const papilio_form& f, const options& o, int peers)
    : form_(f), options_(o), peers_(peers)
{
    if (o.threads > 0) pool_ = std::make_unique<thread_pool>(static_cast<unsigned>(o.threads));
}

bool papilio_backend::takes(const job& j) const
{
    // The input and output of these collectives must not overlap.
    const bool apart = j.what == collective::reduce_scatter || j.what == collective::all_gather;
    return (!j.in_place || !apart) && find_call(j, form_.codec) != nullptr;
}

bool papilio_backend::in_place_only(const job& j) const
{
    return j.what == collective::broadcast;
}

void papilio_backend::prepare(const job& j, const void* in, void* out)
{
    job_ = j;
    how_ = schedule_for(form_, options_, j);
    in_ = in;
    out_ = out;
}

call_options papilio_backend::how() const
{
    return {
        .timeout = std::chrono::duration_cast<duration>(
            std::chrono::duration<double>(options_.timeout_seconds)),
        .shares = how_.shares,
        .radix = how_.radix,
        .chunk_bytes = how_.chunk_bytes,
        .in_flight = how_.in_flight,
        .on_error = form_.failed,
        .pool = pool_.get(),
    };
}

task<report> papilio_backend::start(any_transport net) const
{
    return find_call(job_, form_.codec)(net, in_, out_, static_cast<std::size_t>(job_.count),
                                        how());
}

call_facts papilio_backend::facts_from(const report& r) const
{
    call_facts f{true, static_cast<double>(r.bytes_sent()), 0};
    const bool reduces =
        job_.what == collective::all_reduce || job_.what == collective::reduce_scatter;
    if (reduces)
        for (const auto& range : r.made_of)
            f.lost = std::max(f.lost, peers_ - static_cast<int>(range.from.size()));
    return f;
}

data_kind papilio_backend::data() const
{
    return facts_of(form_.codec).coarseness > 0 ? data_kind::normal : data_kind::exact;
}

/// Each contribution is rounded once, and the sum is rounded once more.
double papilio_backend::tolerance(const job& j) const
{
    const auto once = facts_of(form_.codec).coarseness * largest_normal;
    return 2 * once * (j.op == reduction::avg ? 1 : peers_);
}

}  // namespace papilio::perf
