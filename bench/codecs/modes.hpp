#pragma once

#include <string>
#include <vector>

namespace papilio::bench {

/// Prints bits per element and errors of all codecs as a Markdown table. Draws them to `plot` as
/// SVG unless that is empty.
void print_errors(const std::string& plot);

/// Times hivemind's codecs beside the same in numpy, and topk beside std::nth_element, on so many
/// bytes of floats each; prints a Markdown table.
void print_rivals(const std::vector<std::size_t>& sizes);

}  // namespace papilio::bench
