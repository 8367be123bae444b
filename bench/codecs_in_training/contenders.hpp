#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/residuals.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// The average of one round by a codec, with the residuals of a worker.
using averaging = std::function<task<report>(any_transport, std::span<const float>,
                                             std::span<float>, residuals<bf16>&)>;

/// A codec of the comparison.
struct contender {
    std::string name;
    averaging run;
};

/// All codecs that can be compared.
std::vector<contender> all_contenders();

}  // namespace papilio::example
