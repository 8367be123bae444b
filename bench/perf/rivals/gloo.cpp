#include "perf/rivals/gloo.hpp"

#include "perf/temporary_folder.hpp"

#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include <limits>
#include <memory>

namespace papilio::perf {

namespace {

/// Connects all peers. They are processes of one machine and find each other through files.
std::shared_ptr<gloo::Context> connect(const place& p)
{
    std::unique_ptr<temporary_folder> own;
    if (p.rank == 0) own = std::make_unique<temporary_folder>();
    const auto folder = p.exchange(own ? own->path() : std::string()).front();
    gloo::rendezvous::FileStore store(folder);
    gloo::transport::tcp::attr attributes(p.address.c_str());
    auto device = gloo::transport::tcp::CreateDevice(attributes);
    auto context = std::make_shared<gloo::rendezvous::Context>(p.rank, p.peers);
    context->connectFullMesh(store, device);
    p.exchange({});  // all peers are connected, and the folder may be removed
    return context;
}

using function = void (*)(void*, const void*, const void*, std::size_t);

template <class T>
function function_for(reduction op)
{
    switch (op) {
    case reduction::sum:
        return [](void* to, const void* a, const void* b, std::size_t n) {
            gloo::sum<T>(to, a, b, n);
        };
    case reduction::prod:
        return [](void* to, const void* a, const void* b, std::size_t n) {
            gloo::product<T>(to, a, b, n);
        };
    case reduction::min:
        return [](void* to, const void* a, const void* b, std::size_t n) {
            gloo::min<T>(to, a, b, n);
        };
    case reduction::max:
        return [](void* to, const void* a, const void* b, std::size_t n) {
            gloo::max<T>(to, a, b, n);
        };
    case reduction::avg: break;
    }
    return nullptr;
}

/// gloo has its own half type and no bfloat16.
bool knows(element_type type)
{
    return type != element_type::f16 && type != element_type::bf16;
}

/// The newer interface of gloo.
class newer final : public backend {
public:
    newer(const place& p, gloo::AllreduceOptions::Algorithm algorithm)
        : context_(connect(p)), algorithm_(algorithm)
    {
    }

    bool takes(const job& j) const override
    {
        return j.what == collective::all_reduce && knows(j.type) && j.op != reduction::avg;
    }

    void prepare(const job& j, const void* in, void* out) override
    {
        job_ = j;
        in_ = in;
        out_ = out;
    }

    call_facts call() override
    {
        gloo::AllreduceOptions o(context_);
        o.setAlgorithm(algorithm_);
        with_type(job_.type, [&]<class T>(std::type_identity<T>) {
            if constexpr (!detail::is_one_of<T, f16, bf16>) {
                const auto count = static_cast<std::size_t>(job_.count);
                o.setReduceFunction(function_for<T>(job_.op));
                // gloo only reads its input, but its interface takes a pointer to non-const.
                if (in_) o.setInput(static_cast<T*>(const_cast<void*>(in_)), count);
                o.setOutput(static_cast<T*>(out_), count);
            }
        });
        gloo::allreduce(o);
        return {};
    }

private:
    std::shared_ptr<gloo::Context> context_;
    gloo::AllreduceOptions::Algorithm algorithm_;
    job job_;
    const void* in_ = nullptr;
    void* out_ = nullptr;
};

/// The older algorithms of gloo. They allocate and connect their buffers in advance.
template <class Algorithm>
class older final : public backend {
public:
    explicit older(const place& p) : place_(p), context_(connect(p)) {}

    bool in_place_only(const job&) const override { return true; }

    bool takes(const job& j) const override
    {
        return j.what == collective::all_reduce && j.type == element_type::f32 &&
               j.op == reduction::sum && j.count <= std::numeric_limits<int>::max() / sizeof(float);
    }

    void prepare(const job& j, const void*, void* out) override
    {
        if (out == out_ && j.count == count_) return;
        out_ = static_cast<float*>(out);
        count_ = j.count;
        algorithm_.reset();
        algorithm_ = std::make_unique<Algorithm>(context_, std::vector<float*>{out_},
                                                 static_cast<int>(j.count));
        place_.exchange({});  // no peer may send before all peers have their buffers
    }

    call_facts call() override
    {
        algorithm_->run();
        return {};
    }

private:
    const place& place_;
    std::shared_ptr<gloo::Context> context_;
    float* out_ = nullptr;
    std::uint64_t count_ = 0;
    std::unique_ptr<Algorithm> algorithm_;
};

}  // namespace

std::vector<std::pair<std::string, join_function>> gloo_systems()
{
    using gloo::detail::AllreduceOptionsImpl;
    return {{"gloo-ring",
             [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<newer>(p, AllreduceOptionsImpl::RING);
             }},
            {"gloo-bcube",
             [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<newer>(p, AllreduceOptionsImpl::BCUBE);
             }},
            {"gloo-ring-chunked",
             [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<older<gloo::AllreduceRingChunked<float>>>(p);
             }},
            {"gloo-halving-doubling", [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<older<gloo::AllreduceHalvingDoubling<float>>>(p);
             }}};
}

}  // namespace papilio::perf
