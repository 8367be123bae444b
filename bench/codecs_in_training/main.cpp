// What a codec costs in training: several workers train the demo model on batches of their own, and
// after every few steps average their pseudo-gradients by papilio's all-reduce, DiLoCo's way. For
// each seed all codecs begin with the same weights and draw the same batches, so that what differs
// at the end is the codec's doing.

#include "contenders.hpp"
#include "options.hpp"
#include "train.hpp"

#include <member/program.hpp>
#include <trainer/threads.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace papilio::example {

namespace {

/// The losses by seed and their mean; how that compares with the first codec; bytes.
void print_row(const std::string& name, const std::vector<outcome>& seeds, double& first_loss,
               double& first_bytes)
{
    double loss = 0;
    std::string row = fmt::format("| {} |", name);
    for (const auto& one : seeds) {
        loss += one.loss / static_cast<double>(seeds.size());
        row += fmt::format(" {:.4f} |", one.loss);
    }
    const double bytes = seeds.front().bytes;
    if (first_bytes == 0) {
        first_loss = loss;
        first_bytes = bytes;
    }
    row += fmt::format(" {:.4f} | {:+.2f} % | {:.0f} | {:.1f} |\n", loss,
                       100 * (loss / first_loss - 1), bytes, first_bytes / bytes);
    std::fputs(row.c_str(), stdout);
    std::fflush(stdout);
}

int compare(const options& o)
{
    std::string head = "| codec |", rule = "|---|";
    for (std::uint64_t seed = 1; seed <= o.seeds; ++seed) {
        head += fmt::format(" seed {} |", seed);
        rule += "---|";
    }
    fmt::print(
        "{} mean loss | to the first | bytes sent per round and worker | times fewer |\n"
        "{}---|---|---|---|\n",
        head, rule);
    double first_loss = 0, first_bytes = 0;
    for (const auto& c : all_contenders()) {
        if (std::ranges::count(o.codecs, c.name) == 0) continue;
        std::vector<outcome> seeds;
        for (std::uint64_t seed = 1; seed <= o.seeds; ++seed) {
            seeds.push_back(train(o, seed, c));
            fmt::print(stderr, "{}, seed {}: {:.4f}\n", c.name, seed, seeds.back().loss);
        }
        print_row(c.name, seeds, first_loss, first_bytes);
    }
    return exit_ok;
}

}  // namespace

}  // namespace papilio::example

int main(int argc, char** argv)
{
    using namespace papilio::example;
    return run_program("papilio-bench-codecs-in-training", [&] {
        const auto o = read_options(argc, argv);
        limit_threads(1);  // more only change the bits
        return compare(o);
    });
}
