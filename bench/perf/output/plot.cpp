#include "perf/output/text_file.hpp"
#include "perf/report.hpp"

#include <papilio/base/units.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <sstream>

namespace papilio::perf {

namespace {

// The geometry of the picture, in pixels.
constexpr double width = 860, height = 500;
constexpr double left = 84, right = 640, top = 64, bottom = 436;

/// Colours that readers with colour blindness can distinguish (P. Tol's bright scheme). papilio
/// takes the first.
constexpr const char* colours[] = {"#ee6677", "#4477aa", "#228833", "#aa3377", "#ccbb44",
                                   "#66ccee", "#8c6d31", "#555555", "#b07aa1", "#117777"};
constexpr const char* bound_colour = "#999999";

struct point {
    double x = 0;  ///< bytes
    double y = 0;  ///< bytes per second
};

struct line {
    std::string name;
    std::string colour;
    std::string dashes;
    double thickness = 2;
    std::vector<point> points;
};

struct axes {
    double min_x = std::numeric_limits<double>::max(), max_x = 0;
    double min_y = std::numeric_limits<double>::max(), max_y = 0;

    double x(double bytes) const
    {
        const auto part = std::log(bytes / min_x) / std::log(max_x / min_x);
        return left + part * (right - left);
    }
    double y(double speed) const
    {
        const auto part = std::log(speed / min_y) / std::log(max_y / min_y);
        return bottom - part * (bottom - top);
    }
};

/// The row whose bound is drawn: the first one without a lossy codec, if there is one. Each codec
/// has its own bound.
const row& bounded(const std::vector<row>& rows)
{
    const auto& first = rows.front();
    const auto exact = std::ranges::find_if(
        rows, [&](const row& r) { return r.type == first.type && r.op == first.op && !r.lossy; });
    return exact == rows.end() ? first : *exact;
}

std::vector<line> lines_of(const std::vector<row>& rows)
{
    std::vector<line> all;
    const auto* first = &rows.front();
    const auto& of = bounded(rows);
    line bound{"bound, " + (of.lossy ? of.system : name(of.type)), bound_colour, "6 5", 2, {}};
    std::size_t colour = 0;
    for (const auto& r : rows) {
        if (r.type != first->type || r.op != first->op) continue;
        auto found = std::ranges::find(all, r.label(), &line::name);
        if (found == all.end()) {
            const auto* c = colours[colour++ % std::size(colours)];
            all.push_back({r.label(), c, "", r.rival ? 1.6 : 3.2, {}});
            found = all.end() - 1;
        }
        const auto size = static_cast<double>(r.size);
        found->points.push_back({size, r.algbw(r.main())});
        if (r.system == of.system && r.bound_seconds > 0)
            bound.points.push_back({size, size / r.bound_seconds});
    }
    if (!bound.points.empty()) all.push_back(std::move(bound));
    return all;
}

/// Fits the axes to the data: the lower end of y is a power of ten, and a single size gets space on
/// both sides.
axes fit(const std::vector<line>& lines)
{
    axes a;
    for (const auto& l : lines)
        for (const auto& p : l.points) {
            a.min_x = std::min(a.min_x, p.x);
            a.max_x = std::max(a.max_x, p.x);
            a.min_y = std::min(a.min_y, p.y);
            a.max_y = std::max(a.max_y, p.y);
        }
    if (a.min_x == a.max_x) {
        a.min_x /= 2;
        a.max_x *= 2;
    }
    a.min_y = std::pow(10, std::floor(std::log10(a.min_y * 0.9)));
    const auto decade = std::pow(10, std::floor(std::log10(a.max_y * 1.05)));
    for (const double step : {1.0, 2.0, 5.0, 10.0}) {
        if (step * decade < a.max_y * 1.05) continue;
        a.max_y = step * decade;
        break;
    }
    return a;
}

std::string speed_text(double speed)
{
    for (const auto& [unit, name] : {std::pair{1e9, " GB/s"}, {1e6, " MB/s"}, {1e3, " kB/s"}}) {
        if (speed < unit * 0.999) continue;
        char text[32];
        std::snprintf(text, sizeof(text), "%.4g%s", speed / unit, name);
        return text;
    }
    return human_bytes(static_cast<std::uint64_t>(speed)) + "/s";
}

std::string escaped(const std::string& text)
{
    std::string all;
    for (const char c : text) {
        if (c == '&')
            all += "&amp;";
        else if (c == '<')
            all += "&lt;";
        else if (c == '>')
            all += "&gt;";
        else
            all += c;
    }
    return all;
}

void write_grid(std::ostream& svg, const axes& a)
{
    for (double decade = a.min_y; decade <= a.max_y * 1.001; decade *= 10)
        for (const double step : {1.0, 2.0, 5.0}) {
            const auto speed = decade * step;
            if (speed > a.max_y * 1.001) break;
            const auto y = a.y(speed);
            svg << "<line x1='" << left << "' x2='" << right << "' y1='" << y << "' y2='" << y
                << "' stroke='" << (step == 1 ? "#cccccc" : "#eeeeee") << "'/>\n<text x='"
                << left - 8 << "' y='" << y + 4 << "' text-anchor='end'>" << speed_text(speed)
                << "</text>\n";
        }
    const auto doublings = std::log2(a.max_x / a.min_x);
    const auto every = std::max(1.0, std::ceil(doublings / 8));
    for (double i = 0; i <= doublings + 0.001; i += every) {
        const auto bytes = a.min_x * std::exp2(i);
        const auto x = a.x(bytes);
        svg << "<line x1='" << x << "' x2='" << x << "' y1='" << top << "' y2='" << bottom
            << "' stroke='#eeeeee'/>\n<text x='" << x << "' y='" << bottom + 20
            << "' text-anchor='middle'>" << human_bytes(static_cast<std::uint64_t>(bytes))
            << "</text>\n";
    }
    svg << "<rect x='" << left << "' y='" << top << "' width='" << right - left << "' height='"
        << bottom - top << "' fill='none' stroke='#888888'/>\n";
}

void write_line(std::ostream& svg, const axes& a, const line& l)
{
    svg << "<polyline fill='none' stroke='" << l.colour << "' stroke-width='" << l.thickness
        << "' stroke-linejoin='round'";
    if (!l.dashes.empty()) svg << " stroke-dasharray='" << l.dashes << "'";
    svg << " points='";
    for (const auto& p : l.points) svg << a.x(p.x) << ',' << a.y(p.y) << ' ';
    svg << "'/>\n";
    if (!l.dashes.empty() && l.points.size() > 1) return;
    for (const auto& p : l.points)
        svg << "<circle cx='" << a.x(p.x) << "' cy='" << a.y(p.y) << "' r='" << l.thickness + 1
            << "' fill='" << l.colour << "'/>\n";
}

/// Writes the names at the ends of their lines. Names that would overlap are moved apart.
void write_names(std::ostream& svg, const axes& a, std::vector<line> lines)
{
    const auto end_of = [&](const line& l) { return a.y(l.points.back().y); };
    std::ranges::sort(lines, {}, end_of);
    double free = top;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto below = static_cast<double>(lines.size() - 1 - i);
        const auto y = std::max(free, std::min(end_of(lines[i]), bottom - 18 * below));
        free = y + 18;
        const auto& l = lines[i];
        svg << "<polyline fill='none' stroke='" << l.colour << "' stroke-width='1' points='"
            << a.x(l.points.back().x) + 5 << ',' << end_of(l) << ' ' << right + 20 << ',' << y
            << "'/>\n<text x='" << right + 25 << "' y='" << y + 4 << "' fill='" << l.colour << "'"
            << (l.thickness > 3 ? " font-weight='bold'" : "") << '>' << escaped(l.name)
            << "</text>\n";
    }
}

}  // namespace

void write_plot(const std::string& path, const std::vector<row>& rows, const environment& env)
{
    if (rows.empty()) return;
    const auto lines = lines_of(rows);
    const auto a = fit(lines);
    std::ostringstream svg;
    svg.precision(6);
    svg << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << width << ' ' << height
        << "' width='" << width << "' height='" << height
        << "' font-family='sans-serif' font-size='12' fill='#333333'>\n"
        << "<rect width='100%' height='100%' fill='white'/>\n<text x='" << left
        << "' y='28' font-size='16'>" << name_in(collective_names, env.what) << " of "
        << name_in(type_names, rows.front().type) << " by " << name_in(op_names, rows.front().op)
        << ": size over time</text>\n<text x='" << left << "' y='48' fill='#666666'>"
        << escaped(std::to_string(env.peers) + " peers, " + env.network +
                   (env.congestion.empty() ? "" : ", " + env.congestion))
        << "</text>\n";
    write_grid(svg, a);
    svg << "<text x='" << (left + right) / 2 << "' y='" << bottom + 42
        << "' text-anchor='middle'>bytes of each peer's data</text>\n";
    // In reverse, so that papilio is on top.
    for (auto l = lines.rbegin(); l != lines.rend(); ++l) write_line(svg, a, *l);
    write_names(svg, a, lines);
    svg << "</svg>\n";
    write_file(path, svg.str());
}

}  // namespace papilio::perf
