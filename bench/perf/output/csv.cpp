#include "perf/output/text_file.hpp"
#include "perf/report.hpp"

#include <cmath>
#include <sstream>

namespace papilio::perf {

namespace {

void write_cell(std::ostream& csv, const row& r, const cell& c, bool in_place,
                const environment& env)
{
    const auto size = static_cast<double>(r.size);
    const auto or_empty = [&](bool there, double value) {
        if (there) csv << value;
        csv << ',';
    };
    csv << r.system << ',' << env.transport << ',' << env.congestion << ',' << env.peers << ','
        << r.size << ',' << r.count << ',' << name_in(type_names, r.type) << ','
        << name_in(op_names, r.op) << ',' << (in_place ? "in" : "out") << ',' << c.seconds * 1e6
        << ',' << r.algbw(c) / 1e9 << ',' << r.algbw(c) / 1e9 * bus_factor(env) << ',';
    or_empty(c.checked, static_cast<double>(c.wrong));
    csv << c.p50 * 1e6 << ',' << c.p99 * 1e6 << ',';
    or_empty(c.measures_wire, c.wire_bytes);
    or_empty(r.bound_seconds > 0, r.bound_seconds * 1e6);
    or_empty(!std::isnan(r.eta(c.seconds)), r.eta(c.seconds));
    or_empty(r.predicted_seconds > 0, r.predicted_seconds * 1e6);
    or_empty(c.checked, c.relative_error);
    csv << c.processor_seconds * 1e9 / size << ',' << c.wakes << ',' << c.peak_bytes << ','
        << c.lost << ',';
    or_empty(r.ratio > 0, r.ratio);
    or_empty(r.first_seconds > 0, r.first_seconds * 1e6);
    or_empty(r.idle_seconds > 0, r.idle_seconds * 1e6);
    csv << as_hexadecimal(c.digest) << ',' << (r.lossy ? 1 : 0) << '\n';
}

}  // namespace

void write_csv(const std::string& path, const std::vector<row>& rows, const environment& env)
{
    std::ostringstream csv;
    csv.precision(10);
    csv << "system,transport,congestion,peers,size,count,type,redop,place,time,algbw,busbw,wrong,"
           "p50,p99,wire,bound,eta,predicted,relerr,cpu,wakes,peak,lost,ratio,first,idle,digest,"
           "lossy\n";
    for (const auto& r : rows) {
        if (r.out_of_place) write_cell(csv, r, *r.out_of_place, false, env);
        if (r.in_place) write_cell(csv, r, *r.in_place, true, env);
    }
    write_file(path, csv.str());
}

}  // namespace papilio::perf
