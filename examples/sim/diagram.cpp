#include "diagram.hpp"

#include "text.hpp"

#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <vector>

namespace papilio::example::simulator {

namespace {

// The geometry of the picture, in pixels.
constexpr double width = 1280, left = 70, right = 1250;
constexpr double top = 120, lane = 64, line_height = 19, number_radius = 8;

/// What lines of messages look like: colours that readers with colour blindness can distinguish
/// (P. Tol's bright scheme).
struct look {
    std::string_view what;
    std::string_view colour;
};
constexpr look contribution{"contribution", "#4477aa"}, results{"result", "#228833"},
    votes{"vote", "#ccbb44"}, views{"of later views", "#aa3377"},
    answers{"answer after the end", "#66ccee"}, flow{"flow control", "#bbbbbb"},
    links{"end of a link", "#555555"}, lost{"lost, or waiting", "#ee6677"};
constexpr look all_looks[] = {contribution, results, votes, views, answers, flow, links, lost};

look look_of(const sim::carried_message& m)
{
    if (!m.arrived) return lost;
    if (m.ends_link) return links;
    switch (fields_of(m.what).kind) {
    case message_kind::contribution: return contribution;
    case message_kind::result: return results;
    case message_kind::vote: return votes;
    case message_kind::view: return views;
    case message_kind::answer: return answers;
    default: return flow;
    }
}

/// Where times are on the picture. Where nothing happens for long, time is cut short.
class time_scale {
public:
    explicit time_scale(std::vector<duration> times) : times_(std::move(times))
    {
        std::ranges::sort(times_);
        const auto gap_of = [&](std::size_t i) { return times_[i] - times_[i - 1]; };
        constexpr int most = 25;  // a gap takes no more than this part of the whole
        const auto longest = (times_.back() - times_.front()) / most;
        places_.push_back(0);
        for (std::size_t i = 1; i < times_.size(); ++i)
            places_.push_back(places_.back() + seconds(std::min(gap_of(i), longest)));
        for (std::size_t i = 1; i < times_.size(); ++i)
            if (gap_of(i) > 2 * longest) cuts_.push_back({x(times_[i - 1]), x(times_[i])});
    }

    double x(duration at) const
    {
        const auto next = std::ranges::lower_bound(times_, at);
        const auto i = static_cast<std::size_t>(next - times_.begin());
        const auto whole = std::max(places_.back(), 1e-9);
        return left + (right - left) * places_.at(i) / whole;
    }

    struct cut {
        double from, to;
    };
    const std::vector<cut>& cuts() const { return cuts_; }

private:
    static double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

    std::vector<duration> times_;
    std::vector<double> places_;  // of each of them
    std::vector<cut> cuts_;
};

double y(int rank)
{
    return top + lane * rank;
}

std::string escaped(std::string_view text)
{
    std::string all;
    for (const char c : text) {
        if (c == '<')
            all += "&lt;";
        else if (c == '&')
            all += "&amp;";
        else
            all += c;
    }
    return all;
}

std::string px(double value)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "'%.1f'", value);
    return text.data();
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style)
{
    return "<line x1=" + px(x1) + " y1=" + px(y1) + " x2=" + px(x2) + " y2=" + px(y2) + " " +
           std::string(style) + "/>\n";
}

std::string text(double x, double y, std::string_view words, std::string_view style = "")
{
    return "<text x=" + px(x) + " y=" + px(y) + " " + std::string(style) + ">" + escaped(words) +
           "</text>\n";
}

std::string legend()
{
    std::string all;
    double x = left;
    for (const auto& l : all_looks) {
        const std::string stroke = "stroke-width='2.5' stroke='" + std::string(l.colour) + "'";
        all += line(x, 84, x + 24, 84, stroke) + text(x + 30, 88, l.what, "font-size='12'");
        x += 44 + 6.2 * static_cast<double>(l.what.size());
    }
    return all + text(x, 88, "dashes: time cut short", "font-size='12'");
}

std::string lanes(const scenario& s, const time_scale& scale)
{
    std::string all;
    for (int rank = 0; rank < s.peers; ++rank) {
        all += text(12, y(rank) + 4, "peer " + std::to_string(rank));
        all += line(left, y(rank), right, y(rank), "stroke='#888888'");
        for (const auto& cut : scale.cuts())
            all += line(cut.from + 4, y(rank), cut.to - 4, y(rank),
                        "stroke='white' stroke-width='3' stroke-dasharray='3 3'");
    }
    return all;
}

std::string messages(const run_record& r, const time_scale& scale)
{
    std::string all;
    for (const auto& m : r.messages) {
        const auto l = look_of(m);
        const auto stroke = "stroke='" + std::string(l.colour) + "' opacity='0.7'" +
                            (m.arrived ? " marker-end='url(#tip)'" : " stroke-dasharray='4 3'");
        all += line(scale.x(m.sent.time_since_epoch()), y(m.from),
                    scale.x(m.arrives.time_since_epoch()), y(m.to), stroke);
    }
    return all;
}

std::string numbers(const run_record& r, const time_scale& scale)
{
    std::string all;
    for (std::size_t i = 0; i < r.timeline.size(); ++i)
        for (const int rank : r.timeline[i].peers) {
            const auto x = scale.x(r.timeline[i].at);
            all +=
                "<circle cx=" + px(x) + " cy=" + px(y(rank)) + " r=" + px(number_radius) +
                " fill='white' stroke='black'/>\n" +
                text(x, y(rank) + 4, std::to_string(i + 1), "text-anchor='middle' font-size='10'");
        }
    return all;
}

std::string told(const run_record& r, double from)
{
    std::string all;
    for (std::size_t i = 0; i < r.timeline.size(); ++i)
        all += text(left, from + line_height * static_cast<double>(i),
                    std::to_string(i + 1) + ": " + to_text(r.timeline[i]),
                    "xml:space='preserve' font-family='monospace'");
    return all;
}

time_scale scale_of(const run_record& r)
{
    std::vector<duration> times{{}};
    for (const auto& h : r.timeline) times.push_back(h.at);
    for (const auto& m : r.messages) {
        times.push_back(m.sent.time_since_epoch());
        times.push_back(m.arrives.time_since_epoch());
    }
    return time_scale(std::move(times));
}

}  // namespace

std::string to_svg(const run_record& r)
{
    const auto scale = scale_of(r);
    std::string said;
    const auto below = y(r.of.peers) - 16;
    const auto height = below + line_height * static_cast<double>(r.timeline.size()) + 10;
    std::string all = "<svg xmlns='http://www.w3.org/2000/svg' width=" + px(width) +
                      " height=" + px(height) + " font-family='sans-serif' font-size='13'>\n" +
                      "<rect width='100%' height='100%' fill='white'/>\n"
                      "<marker id='tip' viewBox='0 0 8 8' refX='8' refY='4' markerWidth='6' "
                      "markerHeight='6' orient='auto'><path d='M0 0 L8 4 L0 8 Z'/></marker>\n";
    double row = 20;
    for (std::istringstream lines(heading(r.of)); std::getline(lines, said); row += line_height)
        all += text(left, row, said);
    all += legend() + lanes(r.of, scale) + messages(r, scale) + numbers(r, scale);
    return all + told(r, below) + "</svg>\n";
}

}  // namespace papilio::example::simulator
