#include "gpt2.hpp"

#include "gpt2_tensors.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <torch/cuda.h>
#include <torch/version.h>

#include <cmath>

namespace papilio::example {

namespace {

using at::Tensor;

std::int64_t signed_size(std::size_t n)
{
    return static_cast<std::int64_t>(n);
}

/// Walks the leaves in the order of `layout`, which is the order of a forward pass.
class forward_pass {
public:
    explicit forward_pass(const gpt2::tensors& model) : model_(model) {}

    /// Scores [batch, length, vocabulary] of tokens [batch, length], in f32.
    Tensor logits(const Tensor& tokens)
    {
        const Tensor embedding = next();
        const Tensor positions = next().narrow(0, 0, tokens.size(1));
        Tensor x = at::embedding(embedding, tokens) + positions;
        for (std::size_t i = 0; i < model_.config.layers; ++i) {
            x = x + attention(norm(x));
            x = x + feed_forward(norm(x));
        }
        const Tensor top = norm(x).to(model_.compute);
        return at::matmul(top, embedding.to(model_.compute).t()).to(at::kFloat);
    }

private:
    const Tensor& next() { return model_.leaves[used_++]; }

    Tensor norm(const Tensor& x)
    {
        const Tensor& gain = next();
        const Tensor& bias = next();
        return at::layer_norm(x, {x.size(-1)}, gain, bias, 1e-5);
    }

    /// Weights lie input-by-output, as GPT-2 stores them, so nothing is ever transposed.
    Tensor project(const Tensor& x, const Tensor& weight, const Tensor& bias)
    {
        const at::ScalarType type = model_.compute;
        const Tensor rows = x.to(type).reshape({-1, x.size(-1)});
        const Tensor out = at::addmm(bias.to(type), rows, weight.to(type));
        return out.view({x.size(0), x.size(1), -1});
    }

    Tensor project(const Tensor& x)
    {
        const Tensor& weight = next();
        const Tensor& bias = next();
        return project(x, weight, bias);
    }

    Tensor attention(const Tensor& x)
    {
        const std::int64_t batch = x.size(0);
        const std::int64_t length = x.size(1);
        const std::int64_t heads = signed_size(model_.config.heads);
        const std::int64_t depth = x.size(2) / heads;
        const std::vector<Tensor> qkv =
            project(x).view({batch, length, 3, heads, depth}).permute({2, 0, 3, 1, 4}).unbind(0);
        const Tensor mixed = look_back(qkv[0], qkv[1], qkv[2]);
        return project(mixed.transpose(1, 2).reshape({batch, length, heads * depth}));
    }

    Tensor feed_forward(const Tensor& x)
    {
        const Tensor inner = at::gelu(project(x), "tanh");
        return project(inner);
    }

    /// What each place gathers from itself and those before it; all [batch, heads, length, depth].
    Tensor look_back(const Tensor& queries, const Tensor& keys, const Tensor& values)
    {
#if TORCH_VERSION_MAJOR >= 2
        // Never holds the scores, length x length of them, and is faster for it.
        return at::scaled_dot_product_attention(queries, keys, values, {}, 0.0, true);
#else
        // Scaling the queries costs length x depth products, scaling the scores length x length.
        const double scale = 1.0 / std::sqrt(static_cast<double>(queries.size(-1)));
        Tensor scores = at::matmul(queries * scale, keys.transpose(-2, -1));
        scores.masked_fill_(future(queries.size(-2), queries.device()), -INFINITY);
        return at::matmul(at::softmax(scores, -1), values);
#endif
    }

#if TORCH_VERSION_MAJOR < 2
    /// True where a place would look at a later one. The same for all blocks.
    const Tensor& future(std::int64_t length, at::Device device)
    {
        if (!future_.defined())
            future_ =
                at::ones({length, length}, at::TensorOptions(device).dtype(at::kBool)).triu(1);
        return future_;
    }

    Tensor future_;
#endif

    const gpt2::tensors& model_;
    std::size_t used_ = 0;
};

at::Device chosen(device_kind kind)
{
    const bool present = kind != device_kind::cpu && torch::cuda::is_available();
    if (kind == device_kind::cuda && !present)
        throw problem(
            errc::bad_argument,
            "LibTorch finds no CUDA device: train on the CPU, or build against a LibTorch "
            "with CUDA by CMAKE_PREFIX_PATH");
    return present ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

/// Rows of tokens on the model's device.
Tensor to_device(const gpt2::tensors& model, std::span<const std::int64_t> tokens,
                 std::size_t batch)
{
    PAPILIO_CHECK(batch > 0 && tokens.size() % batch == 0, "tokens must fill rows of equal length");
    auto* at = const_cast<std::int64_t*>(tokens.data());  // LibTorch has no tensors of const
    const Tensor rows =
        at::from_blob(at, {signed_size(batch), signed_size(tokens.size() / batch)}, at::kLong);
    return rows.to(model.weights.device());
}

Tensor mean_loss(const gpt2::tensors& model, const Tensor& rows)
{
    const std::int64_t length = rows.size(1) - 1;
    PAPILIO_CHECK(length > 0 && length <= signed_size(model.config.context),
                  "a window must fit the model's context");
    const Tensor targets = rows.narrow(1, 1, length).reshape({-1});
    return at::cross_entropy_loss(
        forward_pass(model).logits(rows.narrow(1, 0, length)).flatten(0, 1), targets);
}

}  // namespace

gpt2::gpt2(const gpt2_config& config, device_kind kind, precision compute)
    : tensors_(std::make_unique<tensors>())
{
    tensors& t = *tensors_;
    t.config = config;
    t.parameters = layout(config);
    const at::Device device = chosen(kind);
    const auto count = signed_size(parameter_count(config));
    t.weights = at::zeros({count}, at::TensorOptions(device).dtype(at::kFloat));
    for (const parameter& p : t.parameters)
        t.leaves.push_back(view_of(t.weights, p).detach().set_requires_grad(true));
    if (compute == precision::automatic)
        compute = device.is_cuda() ? precision::bf16 : precision::f32;
    t.compute = compute == precision::bf16 ? at::kBFloat16 : at::kFloat;
    t.where = std::string(device.is_cuda() ? "cuda" : "cpu") +
              (compute == precision::bf16 ? ", bf16" : ", f32");
}

gpt2::~gpt2() = default;

const gpt2_config& gpt2::config() const
{
    return tensors_->config;
}

std::size_t gpt2::size() const
{
    return static_cast<std::size_t>(tensors_->weights.numel());
}

std::string_view gpt2::where() const
{
    return tensors_->where;
}

std::span<const float> gpt2::read() const
{
    return host_view(tensors_->weights, tensors_->mirror);
}

void gpt2::write(std::span<const float> weights)
{
    PAPILIO_CHECK(weights.size() == size(), "the new weights must be as many as the model's");
    overwrite(tensors_->weights, weights);
}

double gpt2::loss(std::span<const std::int64_t> tokens, std::size_t batch) const
{
    const at::NoGradGuard no_gradients;
    return mean_loss(*tensors_, to_device(*tensors_, tokens, batch)).item<double>();
}

double gpt2::accumulate(std::span<const std::int64_t> tokens, std::size_t batch, double weight)
{
    tensors& t = *tensors_;
    if (!t.gradients.defined()) {
        t.gradients = at::zeros_like(t.weights);
        // LibTorch adds in place to a gradient that is there, so all end up in the flat buffer.
        for (std::size_t i = 0; i < t.leaves.size(); ++i)
            t.leaves[i].mutable_grad() = view_of(t.gradients, t.parameters[i]);
    }
    const Tensor loss = mean_loss(t, to_device(t, tokens, batch));
    (loss * weight).backward();
    return loss.item<double>();
}

std::vector<float> gpt2::logits(std::span<const std::int64_t> tokens) const
{
    const at::NoGradGuard no_gradients;
    const Tensor scores = forward_pass(*tensors_).logits(to_device(*tensors_, tokens, 1));
    const Tensor host = scores.to(at::kCPU).contiguous();
    const float* begin = host.data_ptr<float>();
    return {begin, begin + host.numel()};
}

}  // namespace papilio::example
