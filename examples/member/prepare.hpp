#pragma once

#include <filesystem>

namespace papilio::example {

/// What both programs do before anything large: threads are limited, and what would go wrong only
/// when the first checkpoint is written is tried. Throws a `problem` that says what to change.
void prepare(const std::filesystem::path& checkpoint, bool resume, int threads);

/// The same by a program's options, which it returns.
template <class Options>
const Options& prepared(const Options& o)
{
    prepare(o.checkpoint, o.resume, o.run.threads);
    return o;
}

}  // namespace papilio::example
