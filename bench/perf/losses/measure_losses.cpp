#include "perf/losses/measure_losses.hpp"

#include "perf/interrupt.hpp"
#include "perf/losses/loss_row.hpp"
#include "perf/median.hpp"

#include <cstdio>

namespace papilio::perf {

namespace {

double usual_time(losing_group& g, const options& o, bool everybody)
{
    std::vector<double> all;
    for (int i = 0; i < o.iterations; ++i) all.push_back(g.time_of_call(everybody));
    return median(all);
}

loss_row measure_scenario(const options& o, const scenario& s, const private_network* net)
{
    losing_group g(o, s, net);
    for (int i = 0; i < o.warm_up; ++i) g.time_of_call(true);
    const auto all_time = usual_time(g, o, true);
    const auto left_time = usual_time(g, o, false);
    auto r = loss_row_of(s, g.lose(all_time), all_time, left_time);
    r.count = o.sizes.front() / sizeof(float);
    return r;
}

}  // namespace

bool measure_losses(const options& o, const environment& env, const private_network* net)
{
    print_setting(env, o);
    std::printf("# all_reduce_in_place of %zu bytes of float by sum, with salvage%s\n#\n",
                o.sizes.front(), o.uniform ? ", uniform" : "");
    print_loss_head();
    std::vector<loss_row> rows;
    bool right = true;
    for (const auto& s : o.losses)
        for (int run = 0; run < o.runs; ++run) {
            throw_if_interrupted();
            rows.push_back(measure_scenario(o, s, net));
            print_loss_row(rows.back());
            right = right && rows.back().failures.empty();
        }
    const bool met = check_loss_requirements(o.required, rows);
    return right && met;
}

}  // namespace papilio::perf
