#include "training.hpp"

#include "digest.hpp"
#include "problem.hpp"

#include <papilio/base/check.hpp>

#include <chrono>
#include <cmath>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

namespace papilio::example {

std::size_t elements_of(const named_shape& piece)
{
    std::size_t count = 1;
    for (const std::size_t extent : piece.shape) count *= extent;
    return count;
}

namespace {

/// The pieces of so many parameters.
std::vector<named_shape> checked_layout(std::vector<named_shape> layout, std::size_t size)
{
    if (layout.empty()) layout.push_back({"parameters", {size}});
    std::size_t sum = 0;
    for (const auto& piece : layout) sum += elements_of(piece);
    PAPILIO_CHECK(sum == size, "trainer::layout names all parameters");
    return layout;
}

/// Calls a trainer. Whatever it throws is no fault of the network or of others, which would be
/// tried again: a `problem`.
template <class Call>
auto asked(Call call)
try {
    return call();
} catch (const problem&) {
    throw;
} catch (const std::bad_alloc&) {
    throw;
} catch (const std::exception& why) {
    throw problem(std::make_error_code(std::errc::state_not_recoverable), why.what());
}

}  // namespace

training::training(std::unique_ptr<papilio::trainer> t, std::uint64_t peer)
    : trainer_(std::move(t)),
      size_(trainer_->parameters().size()),
      draws_(trainer_->draws()),
      layout_(checked_layout(trainer_->layout(), size_)),
      next_{.peer = peer}
{
}

step_report training::step()
{
    using clock = std::chrono::steady_clock;
    const clock::time_point start = clock::now();
    step_report report{asked([&] { return trainer_->step(next_); }), next_.step};
    if (!std::isfinite(report.loss))
        throw problem(errc::not_finite, "the loss of step " + std::to_string(next_.step) +
                                            " is not finite: training has diverged; lower the "
                                            "learning rate or lengthen its warm-up");
    ++next_.step;
    report.seconds = std::chrono::duration<double>(clock::now() - start).count();
    return report;
}

held_out_loss training::evaluate(std::size_t most)
{
    return asked([&] { return trainer_->evaluate(most); });
}

std::string training::digest() const
{
    return sha256_hex(std::as_bytes(parameters()));
}

}  // namespace papilio::example
