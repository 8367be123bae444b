#include "checkpoint_saver.hpp"

#include <fmt/format.h>

namespace papilio::example {

void checkpoint_saver::begin(shared_state agreed, const update_residuals& unsent)
{
    finish();
    if (folder_ == nullptr) return;
    wanted_ = place_of(*agreed);
    if (saved_ == wanted_) return;
    training_.take_snapshot(snapshot_.training);
    snapshot_.agreed = std::move(agreed);
    snapshot_.unsent.assign(unsent.values().begin(), unsent.values().end());
    writer_.start([this] {
        training_.save_snapshot(*folder_, snapshot_.training.view(),
                                {.round = snapshot_.agreed->round,
                                 .anchor = weights(*snapshot_.agreed),
                                 .momentum = momentum(*snapshot_.agreed),
                                 .residuals = snapshot_.unsent});
    });
}

bool checkpoint_saver::finish()
{
    if (writer_.under_way()) {
        try {
            writer_.finish();
            saved_ = wanted_;
            if (unsaved_.ends()) progress_.note("checkpoints are saved again");
        } catch (const std::system_error& failure) {
            tell(failure);
        }
        snapshot_.agreed.reset();  // which the training may be done with
    }
    return saved_ == wanted_;
}

void checkpoint_saver::tell(const std::system_error& why)
{
    if (unsaved_.begins())
        progress_.warn(fmt::format(
            "the checkpoint is not saved: {}; goes on without, and tries again at the next one",
            why.what()));
}

}  // namespace papilio::example
