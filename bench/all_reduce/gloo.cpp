#include "all_reduce/contestant.hpp"

#include <gloo/allreduce.h>
#include <gloo/allreduce_halving_doubling.h>
#include <gloo/allreduce_ring_chunked.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>

#include <filesystem>
#include <limits>

namespace papilio::bench {

namespace {

std::shared_ptr<gloo::Context> connect(const place& p, const char* name)
{
    const auto folder = std::filesystem::path(p.folder) / name;
    std::filesystem::create_directories(folder);
    gloo::rendezvous::FileStore store(folder);
    gloo::transport::tcp::attr attributes(address_of(p, p.rank).c_str());
    auto device = gloo::transport::tcp::CreateDevice(attributes);
    auto context = std::make_shared<gloo::rendezvous::Context>(p.rank, p.peers);
    context->connectFullMesh(store, device);
    return context;
}

/// gloo's newer interface.
class newer final : public contestant {
public:
    newer(const place& p, const char* name, gloo::AllreduceOptions::Algorithm algorithm)
        : context_(connect(p, name)), algorithm_(algorithm)
    {
    }

    void prepare(std::span<const float> in, std::span<float> out) override
    {
        in_ = in;
        out_ = out;
    }

    void sum() override
    {
        gloo::AllreduceOptions call(context_);
        call.setAlgorithm(algorithm_);
        call.setReduceFunction([](void* to, const void* a, const void* b, std::size_t n) {
            gloo::sum<float>(to, a, b, n);
        });
        // It only reads its input, though its interface does not say so.
        if (!in_.empty()) call.setInput(const_cast<float*>(in_.data()), in_.size());
        call.setOutput(out_.data(), out_.size());
        gloo::allreduce(call);
    }

private:
    std::shared_ptr<gloo::Context> context_;
    gloo::AllreduceOptions::Algorithm algorithm_;
    std::span<const float> in_;
    std::span<float> out_;
};

/// gloo's older algorithms, which allocate and connect their buffers beforehand.
template <class Algorithm>
class older final : public contestant {
public:
    older(const place& p, const char* name) : meeting_(p.meeting), context_(connect(p, name)) {}

    bool in_place_only() const override { return true; }

    bool takes(std::size_t elements) const override
    {
        return elements <= std::numeric_limits<int>::max() / sizeof(float);
    }

    void prepare(std::span<const float>, std::span<float> out) override
    {
        if (out.data() == out_.data() && out.size() == out_.size()) return;
        out_ = out;
        algorithm_.reset();
        algorithm_ = std::make_unique<Algorithm>(context_, std::vector<float*>{out.data()},
                                                 static_cast<int>(out.size()));
        meeting_.meet();  // nobody sends before everybody has a buffer
    }

    void sum() override { algorithm_->run(); }

private:
    meeting_point& meeting_;
    std::shared_ptr<gloo::Context> context_;
    std::span<float> out_;
    std::unique_ptr<Algorithm> algorithm_;
};

using gloo::detail::AllreduceOptionsImpl;

std::unique_ptr<contestant> join_ring(const place& p, const options&)
{
    return std::make_unique<newer>(p, "ring", AllreduceOptionsImpl::RING);
}

std::unique_ptr<contestant> join_bcube(const place& p, const options&)
{
    return std::make_unique<newer>(p, "bcube", AllreduceOptionsImpl::BCUBE);
}

std::unique_ptr<contestant> join_ring_chunked(const place& p, const options&)
{
    return std::make_unique<older<gloo::AllreduceRingChunked<float>>>(p, "ring-chunked");
}

std::unique_ptr<contestant> join_halving_doubling(const place& p, const options&)
{
    return std::make_unique<older<gloo::AllreduceHalvingDoubling<float>>>(p, "halving-doubling");
}

}  // namespace

std::vector<system_under_test> gloo_systems()
{
    return {{"gloo ring", true, join_ring},
            {"gloo bcube", true, join_bcube},
            {"gloo ring-chunked", true, join_ring_chunked},
            {"gloo halving-doubling", true, join_halving_doubling}};
}

}  // namespace papilio::bench
