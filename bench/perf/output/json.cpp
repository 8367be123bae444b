#include "perf/output/json_writer.hpp"
#include "perf/output/text_file.hpp"
#include "perf/report.hpp"

namespace papilio::perf {

namespace {

constexpr int schema_version = 1;  // rises if a name changes its meaning

#ifdef NDEBUG
constexpr const char* build_type = "release";
#else
constexpr const char* build_type = "debug";
#endif

void write_links(json_writer& json, const char* key, const std::vector<access_rate>& links)
{
    json.open('[', key);
    for (const auto& l : links) {
        json.open('{');
        json.value("up", l.up);
        json.value("down", l.down);
        json.close('}');
    }
    json.close(']');
}

void write_cell(json_writer& json, const char* key, const row& r, const cell& c,
                const environment& env)
{
    json.open('{', key);
    json.value("time_us", c.seconds * 1e6);
    json.value("algbw_gb_per_s", r.algbw(c) / 1e9);
    json.value("busbw_gb_per_s", r.algbw(c) / 1e9 * bus_factor(env));
    if (c.checked) json.value("wrong", c.wrong);
    json.value("p50_us", c.p50 * 1e6);
    json.value("p99_us", c.p99 * 1e6);
    if (c.measures_wire) json.value("wire_bytes", c.wire_bytes);
    if (r.bound_seconds > 0) json.value("eta", r.eta(c.seconds));  // null if not valid
    if (c.checked) json.value("relative_error", c.relative_error);
    json.value("cpu_ns_per_byte", c.processor_seconds * 1e9 / static_cast<double>(r.size));
    json.value("wakes_per_call", c.wakes);
    json.value("peak_bytes", c.peak_bytes);
    json.value("peers_lost", c.lost);
    json.value("digest", as_hexadecimal(c.digest));
    json.close('}');
}

void write_row(json_writer& json, const row& r, const environment& env)
{
    json.open('{');
    json.value("system", r.system);
    json.value("rival", r.rival);
    json.value("lossy", r.lossy);
    json.value("size", static_cast<std::uint64_t>(r.size));
    json.value("count", r.count);
    json.value("type", name_in(type_names, r.type));
    json.value("redop", name_in(op_names, r.op));
    if (r.bound_seconds > 0) json.value("bound_us", r.bound_seconds * 1e6);
    if (r.predicted_seconds > 0) json.value("predicted_us", r.predicted_seconds * 1e6);
    if (r.ratio > 0) json.value("ratio_to_best_rival", r.ratio);
    if (r.first_seconds > 0) json.value("first_us", r.first_seconds * 1e6);
    if (r.idle_seconds > 0) json.value("after_idle_us", r.idle_seconds * 1e6);
    if (r.out_of_place) write_cell(json, "out_of_place", r, *r.out_of_place, env);
    if (r.in_place) write_cell(json, "in_place", r, *r.in_place, env);
    json.close('}');
}

}  // namespace

void write_json(const std::string& path, const std::vector<row>& rows, const environment& env,
                const options& o)
{
    json_writer json;
    json.open('{');
    json.value("schema", "papilio-perf");
    json.value("schema_version", schema_version);
    json.value("date", env.date);
    json.value("command", env.command);
    json.value("collective", name_in(collective_names, env.what));
    json.open('{', "build");
    json.value("papilio", env.version);
    json.value("compiler", env.compiler);
    json.close('}');
    json.value("machine", env.machine);
    json.open('{', "topology");
    json.value("peers", env.peers);
    json.value("transport", env.transport);
    json.value("network", env.network);
    json.value("congestion", env.congestion);
    json.value("rtt_ms", env.rtt_ms);
    write_links(json, "nominal_mbit_per_s", env.nominal);
    write_links(json, "payload_bytes_per_s", env.measured);
    json.value("payload_measured_by", env.measured_by);
    if (env.through_bytes_per_second > 0) {
        json.value("through_bytes_per_s", env.through_bytes_per_second);
        json.value("through_rtt_ms", env.through_rtt_ms);
    }
    json.close('}');
    json.open('{', "environment");
    for (const auto& [name, value] : env.variables) json.value(name, value);
    json.close('}');
    json.open('{', "repeats");
    json.value("runs", o.runs);
    json.value("warm_up", o.warm_up);
    json.value("iterations", o.iterations);
    json.close('}');
    json.open('[', "rows");
    for (const auto& r : rows) write_row(json, r, env);
    json.close(']');
    json.close('}');
    write_file(path, json.finish());
}

void write_gbench_json(const std::string& path, const std::vector<row>& rows,
                       const environment& env)
{
    json_writer json;
    json.open('{');
    json.open('{', "context");
    json.value("date", env.date);
    json.value("host_name", env.machine);
    json.value("executable", env.command);
    json.value("library_build_type", build_type);
    json.close('}');
    json.open('[', "benchmarks");
    for (const auto& r : rows)
        for (const auto* c : {&r.out_of_place, &r.in_place}) {
            if (!*c) continue;
            const auto name = r.system + '/' + std::string(name_in(type_names, r.type)) + '/' +
                              std::string(name_in(op_names, r.op)) + '/' + std::to_string(r.size) +
                              (c == &r.in_place ? "/in_place" : "");
            json.open('{');
            json.value("name", name);
            json.value("run_name", name);
            json.value("run_type", "iteration");
            json.value("repetitions", 1);
            json.value("repetition_index", 0);
            json.value("threads", 1);
            json.value("iterations", 1);
            json.value("real_time", (*c)->seconds * 1e9);
            json.value("cpu_time", (*c)->processor_seconds * 1e9);
            json.value("time_unit", "ns");
            json.value("bytes_per_second", r.algbw(**c));
            json.close('}');
        }
    json.close(']');
    json.close('}');
    write_file(path, json.finish());
}

}  // namespace papilio::perf
