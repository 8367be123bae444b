#include "perf/coordinator.hpp"

#include "perf/interrupt.hpp"
#include "perf/median.hpp"
#include "perf/report_skipped.hpp"

#include <papilio/plan/lower_bound.hpp>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

namespace papilio::perf {

double measured_system::bits_on_wire(element_type type) const
{
    if (type != element_type::f32 || as_many_bytes) return 8.0 * static_cast<double>(size_of(type));
    return bits_per_element;
}

namespace {

/// The smallest value of `all` such that at least this part of the values is not larger.
double percentile(std::vector<double> all, double part)
{
    if (all.empty()) return 0;
    std::ranges::sort(all);
    const auto rank = static_cast<std::size_t>(part * static_cast<double>(all.size()) + 0.999999);
    return all[std::clamp<std::size_t>(rank, 1, all.size()) - 1];
}

/// The outcomes of all runs, from which `finish` makes a cell.
struct collected {
    std::vector<double> seconds, means, processor, wakes;
    cell c;

    void add(const measurement& m, bool checked, const std::string& system)
    {
        if (!m.same_bits) throw std::runtime_error(system + ": the peers hold different results");
        if (!means.empty() && m.digest != c.digest)
            throw std::runtime_error(system + ": the result changed from run to run");
        seconds.insert(seconds.end(), m.seconds.begin(), m.seconds.end());
        means.push_back(std::accumulate(m.seconds.begin(), m.seconds.end(), 0.0) /
                        static_cast<double>(m.seconds.size()));
        processor.push_back(m.processor_seconds);
        wakes.push_back(m.wakes);
        c.digest = m.digest;
        c.measures_wire = m.measures_wire;
        c.wire_bytes = m.wire_bytes;
        c.lost = std::max(c.lost, m.lost);
        c.peak_bytes = std::max(c.peak_bytes, m.peak_bytes);
        if (!checked) return;
        c.checked = true;
        c.wrong = m.wrong;
        c.relative_error = m.relative_error;
    }

    std::optional<cell> finish() const
    {
        if (means.empty()) return std::nullopt;
        cell done = c;
        done.seconds = median(means);
        done.p50 = percentile(seconds, 0.5);
        done.p99 = percentile(seconds, 0.99);
        done.processor_seconds = median(processor);
        done.wakes = median(wakes);
        return done;
    }
};

/// All outcomes of one system at one size.
struct tally {
    collected out, in;
    std::vector<double> first, idle;
};

std::uint64_t count_for(const measured_system& e, const job& j)
{
    if (!e.as_many_bytes) return j.count;
    const auto fewer = static_cast<double>(j.count) * e.bits_per_element / 32;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(fewer));
}

/// One run of one system: the calls out of place and in place, the first call of a new group, and
/// the call after an idle time.
void run_once(const options& o, measured_system& e, job j, bool check, tally& t)
{
    j.count = count_for(e, j);
    const double patience = (o.warm_up + o.iterations + 1) * o.timeout_seconds;
    const auto once = [&](std::vector<double>& into, bool fresh) {
        job cold = j;
        cold.fresh = fresh;
        cold.check = false;
        cold.in_place = !o.out_of_place;
        cold.iterations = 1;
        cold.warm_up = 0;
        if (const auto m = e.peers->run(cold, patience)) into.push_back(m->seconds.front());
    };
    if (o.first) once(t.first, true);
    j.check = check;
    j.warm_up = static_cast<std::uint32_t>(o.warm_up);
    j.iterations = static_cast<std::uint32_t>(o.iterations);
    for (const bool in_place : {false, true}) {
        if (in_place ? !o.in_place : !o.out_of_place) continue;
        j.in_place = in_place;
        if (const auto m = e.peers->run(j, patience))
            (in_place ? t.in : t.out).add(*m, check, e.name);
    }
    if (o.idle_seconds > 0) {
        wait_seconds(o.idle_seconds);
        once(t.idle, false);
    }
}

/// One turn of one system. A rival that fails or hangs is left out from then on, and the run
/// continues without it. A failure of papilio ends the run.
void take_turn(const options& o, measured_system& e, const job& j, bool check, tally& t)
{
    throw_if_interrupted();
    if (!e.peers) return;
    try {
        run_once(o, e, j, check, t);
    } catch (const std::exception& failure) {
        throw_if_interrupted();
        if (!e.rival) throw std::runtime_error(e.name + ": " + failure.what());
        report_skipped(e.name + " from here on: " + failure.what());
        e.peers.reset();
        t = {};
    }
}

std::vector<row> finish(const std::vector<measured_system>& all, const std::vector<tally>& found,
                        const job& j, std::size_t group, const link_table& links)
{
    std::vector<row> rows;
    for (std::size_t s = 0; s < all.size(); ++s) {
        row r;
        r.system = all[s].name;
        r.rival = all[s].rival;
        r.lossy = all[s].lossy;
        r.count = count_for(all[s], j);
        r.size = static_cast<std::size_t>(r.count) * size_of(j.type);
        r.type = j.type;
        r.op = j.op;
        r.group = group;
        r.out_of_place = found[s].out.finish();
        r.in_place = found[s].in.finish();
        if (!r.out_of_place && !r.in_place) continue;
        r.first_seconds = median(found[s].first);
        r.idle_seconds = median(found[s].idle);
        const auto wire = static_cast<double>(r.count) * all[s].bits_on_wire(j.type) / 8;
        if (!links.access.empty() && j.what == collective::all_reduce)
            r.bound_seconds = lower_bound_seconds(links, static_cast<std::size_t>(wire));
        job own = j;
        own.count = r.count;
        if (all[s].predict) r.predicted_seconds = all[s].predict(own);
        rows.push_back(std::move(r));
    }
    double best = 0;
    for (const auto& r : rows)
        if (r.rival && (best == 0 || r.main().seconds < best)) best = r.main().seconds;
    for (auto& r : rows) r.ratio = best / r.main().seconds;
    return rows;
}

/// Reports, once per system, that a system does not support this job.
void tell_left_out(const std::vector<measured_system>& all, const std::vector<row>& rows,
                   const job& j, std::set<std::string>& told)
{
    for (const auto& e : all) {
        if (!e.peers || std::ranges::find(rows, e.name, &row::system) != rows.end()) continue;
        const auto what = e.name + ", which has no such " +
                          std::string(name_in(collective_names, j.what)) + " of " +
                          std::string(name_in(type_names, j.type)) + " by " +
                          std::string(name_in(op_names, j.op));
        if (told.insert(what).second) report_skipped(what);
    }
}

}  // namespace

std::vector<row> measure_systems(const options& o, std::vector<measured_system>& all,
                                 const link_table& links,
                                 const std::function<void(const std::vector<row>&)>& done)
{
    std::vector<row> rows;
    std::size_t group = 0;
    std::set<std::string> told;
    for (const auto type : o.types)
        for (const auto op : o.ops) {
            if (!makes_sense(type, op)) {
                report_skipped("a mean of " + std::string(name_in(type_names, type)) +
                               ", which would have to round");
                continue;
            }
            for (const auto size : o.sizes) {
                job j;
                j.what = o.what;
                j.type = type;
                j.op = op;
                j.count = size / size_of(type);
                std::vector<tally> found(all.size());
                for (int run = 0; run < o.runs; ++run)
                    for (std::size_t turn = 0; turn < all.size(); ++turn) {
                        const auto s = (turn + static_cast<std::size_t>(run)) % all.size();
                        take_turn(o, all[s], j, o.check && run == 0, found[s]);
                    }
                auto new_rows = finish(all, found, j, group++, links);
                tell_left_out(all, new_rows, j, told);
                done(new_rows);
                rows.insert(rows.end(), new_rows.begin(), new_rows.end());
            }
        }
    return rows;
}

}  // namespace papilio::perf
