// The codecs' loops beside memcpy, what codecs lose, and rivals: `usage` says how to ask for which.

#include "codecs/kernels.hpp"
#include "codecs/modes.hpp"

#include <charconv>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr const char* usage =
    "papilio-bench-codecs [FLAGS]              the codecs' loops beside memcpy (Google Benchmark)\n"
    "papilio-bench-codecs --short [FLAGS]      the same within a minute: leaves out two threads,\n"
    "                                          decoding without adding, and the mean of eight;\n"
    "                                          makes five passes, of 64 KiB and of 64 MiB\n"
    "papilio-bench-codecs --errors [FILE.svg]  bits per element and what is lost, as table and "
    "plot\n"
    "papilio-bench-codecs --rivals [BYTES...]  beside numpy and the standard library, in turns\n"
    "\n"
    "FLAGS, such as --benchmark_filter=nf4b, are Google Benchmark's:\n\n";

/// The arguments without the first.
int run_short(int argc, char** argv)
{
    std::vector<char*> rest(argv, argv + argc + 1);
    rest.erase(rest.begin() + 1);
    return papilio::bench::run_few_kernels(argc - 1, rest.data());
}

}  // namespace

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
    if (mode == "--short") return run_short(argc, argv);
    if (mode == "--help") std::cout << usage << std::flush;
    return run_kernels(argc, argv);
} catch (const std::exception& failure) {
    std::cerr << "papilio-bench-codecs: " << failure.what() << '\n';
    return 1;
}
