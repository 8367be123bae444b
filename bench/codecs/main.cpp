// papilio-bench-codecs                       the codecs' loops beside memcpy (Google Benchmark)
// papilio-bench-codecs --errors [FILE.svg]   bits per element and what is lost, as table and plot
// papilio-bench-codecs --rivals [BYTES...]   beside numpy and the standard library, in turns

#include "codecs/kernels.hpp"
#include "codecs/modes.hpp"

#include <iostream>
#include <string>

int main(int argc, char** argv)
{
    using namespace papilio::bench;
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "--errors") {
        print_errors(argc > 2 ? argv[2] : "");
        return 0;
    }
    if (mode == "--rivals") {
        std::vector<std::size_t> sizes;
        for (int i = 2; i < argc; ++i) sizes.push_back(std::stoull(argv[i]));
        print_rivals(sizes);
        return 0;
    }
    return run_kernels(argc, argv);
}
