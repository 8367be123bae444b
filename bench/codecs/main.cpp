// papilio-bench-codecs                       the codecs' loops beside memcpy (Google Benchmark)
// papilio-bench-codecs --errors [FILE.svg]   bits per element and what is lost, as table and plot
// papilio-bench-codecs --rivals [BYTES...]   beside numpy and the standard library, in turns

#include "codecs/kernels.hpp"
#include "codecs/modes.hpp"

#include <charconv>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

int main(int argc, char** argv)
try {
    using namespace papilio::bench;
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "--errors") {
        print_errors(argc > 2 ? argv[2] : "");
        return 0;
    }
    if (mode == "--rivals") {
        std::vector<std::size_t> sizes;
        for (int i = 2; i < argc; ++i) {
            const std::string text = argv[i];
            std::size_t bytes = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), bytes);
            if (error != std::errc{} || end != text.data() + text.size())
                throw std::invalid_argument("a size is a number of bytes, not '" + text + "'");
            sizes.push_back(bytes);
        }
        print_rivals(sizes);
        return 0;
    }
    return run_kernels(argc, argv);
} catch (const std::exception& failure) {
    std::cerr << "papilio-bench-codecs: " << failure.what() << '\n';
    return 1;
}
