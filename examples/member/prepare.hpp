#pragma once

#include <filesystem>

namespace papilio::example {

/// Limits the number of threads, and checks that checkpoints can be written to this folder, before
/// the program loads anything large. Throws a `problem` that says what to change.
void prepare(const std::filesystem::path& checkpoint, bool resume, int threads);

/// The same with a program's options. Returns them.
template <class Options>
const Options& prepared(const Options& o)
{
    prepare(o.checkpoint, o.resume, o.run.threads);
    return o;
}

}  // namespace papilio::example
