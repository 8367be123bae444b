#include "prepare.hpp"

#include <trainer/checkpoint.hpp>
#include <trainer/problem.hpp>
#include <trainer/threads.hpp>

namespace papilio::example {

void prepare(const std::filesystem::path& checkpoint, bool resume, int threads)
{
    if (!resume && !checkpoint.empty() && has_checkpoint(checkpoint))
        throw problem(errc::bad_argument, "there is a checkpoint in " + checkpoint.string() +
                                              " already: add --resume to go on from it, or choose "
                                              "another folder");
    if (!checkpoint.empty()) checkpoint_writer trial(checkpoint);
    if (threads > 0) limit_threads(threads);
}

}  // namespace papilio::example
