#pragma once

// Tensors shared by gpt2 and its optimiser. Includes LibTorch, so only their .cpp files include it.

#include "gpt2.hpp"

#include <torch/types.h>

#include <span>
#include <string>
#include <vector>

namespace papilio::example {

struct gpt2::tensors {
    gpt2_config config;
    std::vector<parameter> parameters;
    at::Tensor weights;              ///< flat, f32, on the device
    at::Tensor gradients;            ///< likewise; undefined until first needed
    mutable at::Tensor mirror;       ///< host copy of `weights` where they are on a GPU
    std::vector<at::Tensor> leaves;  ///< views into `weights`, in the order of `parameters`
    at::ScalarType compute = at::kFloat;
    std::string where;
};

/// The part of a flat tensor that belongs to `p`, in its shape. Shares its memory.
inline at::Tensor view_of(const at::Tensor& flat, const parameter& p)
{
    const std::vector<std::int64_t> shape(p.shape.begin(), p.shape.end());
    return flat.narrow(0, static_cast<std::int64_t>(p.offset), static_cast<std::int64_t>(p.size))
        .view(shape);
}

/// A flat f32 tensor as host memory: itself on the CPU, else copied into `mirror`.
inline std::span<const float> host_view(const at::Tensor& flat, at::Tensor& mirror)
{
    if (!flat.is_cpu()) {
        if (!mirror.defined()) mirror = at::empty_like(flat, flat.options().device(at::kCPU));
        mirror.copy_(flat);
    }
    const at::Tensor& host = flat.is_cpu() ? flat : mirror;
    return {host.data_ptr<float>(), static_cast<std::size_t>(host.numel())};
}

/// Copies host memory over a flat f32 tensor of the same size.
inline void overwrite(at::Tensor& flat, std::span<const float> values)
{
    auto* at = const_cast<float*>(values.data());  // LibTorch has no tensors of const
    flat.copy_(at::from_blob(at, {static_cast<std::int64_t>(values.size())}, at::kFloat));
}

}  // namespace papilio::example
