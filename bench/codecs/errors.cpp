#include "codecs/list.hpp"
#include "codecs/modes.hpp"

#include <papilio/base/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace papilio::bench {

namespace {

constexpr std::size_t samples = std::size_t{1} << 20;

/// Box and Muller's, as the sum of uniform numbers lacks the bell's far tails.
double normal(papilio::random& numbers)
{
    const double radius = std::sqrt(-2 * std::log(1 - numbers.uniform()));
    return radius * std::cos(6.283185307179586 * numbers.uniform());
}

std::vector<float> normals(double mean = 0, double deviation = 1, std::uint64_t seed = 3)
{
    papilio::random numbers(seed);
    std::vector<float> values(samples);
    for (auto& x : values) x = static_cast<float>(mean + deviation * normal(numbers));
    return values;
}

/// Student's t with three degrees of freedom.
std::vector<float> heavy_tails()
{
    papilio::random numbers(4);
    std::vector<float> values(samples);
    for (auto& x : values) {
        double squares = 0;
        for (int i = 0; i < 3; ++i) squares += std::pow(normal(numbers), 2);
        x = static_cast<float>(normal(numbers) / std::sqrt(squares / 3));
    }
    return values;
}

struct found {
    std::string name;
    double bits = 0;    // per element, scales and codebooks included
    double normal = 0;  // squared error over squares
    double heavy = 0;
};

template <class Codec>
std::vector<float> decoded(const Codec& codec, const std::vector<float>& values, double& bits)
{
    std::vector<std::byte> output(codec.template bound<float>(samples));
    const auto size = codec.encode(std::span(values), mutable_bytes(output));
    bits = 8 * static_cast<double>(size) / static_cast<double>(samples);
    std::vector<float> back(samples);
    codec.decode(bytes(output).first(size), std::span(back));
    return back;
}

template <class Codec>
double error(const Codec& codec, const std::vector<float>& values, double& bits)
{
    const auto back = decoded(codec, values, bits);
    double off = 0, squares = 0;
    for (std::size_t i = 0; i < samples; ++i) {
        const auto x = static_cast<double>(values[i]);
        off += std::pow(x - static_cast<double>(back[i]), 2);
        squares += x * x;
    }
    return off / squares;
}

// ---- Bias: the mean of what is decoded less the mean of what was encoded.

struct bias {
    double mean = 0;
    double noise = 0;  // the standard error of the mean
};

/// The noise follows from the spread of the means of 1024 runs: errors within a block are related.
bias bias_of(const std::vector<double>& errors)
{
    constexpr std::size_t runs = 1024, length = samples / runs;
    double sum = 0, squares = 0;
    for (std::size_t run = 0; run < runs; ++run) {
        double mean = 0;
        for (std::size_t i = 0; i < length; ++i) mean += errors[run * length + i] / length;
        sum += mean;
        squares += mean * mean;
    }
    const double mean = sum / runs;
    return {mean, std::sqrt((squares / runs - mean * mean) / runs)};
}

template <class Codec>
bias bias_of(const Codec& codec, const std::vector<float>& values)
{
    double bits = 0;
    const auto back = decoded(codec, values, bits);
    std::vector<double> errors(samples);
    for (std::size_t i = 0; i < samples; ++i)
        errors[i] = static_cast<double>(back[i]) - static_cast<double>(values[i]);
    return bias_of(errors);
}

struct bias_of_call {
    bias contributions, result;
};

/// An all-reduce rounds every peer's numbers, and then their mean.
template <class Codec>
bias_of_call bias_of_mean(const Codec& codec, const std::vector<std::vector<float>>& peers)
{
    const auto n = static_cast<double>(peers.size());
    double bits = 0;
    std::vector<double> exact(samples), sent(samples), errors(samples);
    for (std::size_t peer = 0; peer < peers.size(); ++peer) {
        auto own = codec;
        if constexpr (requires { own.round; }) own.seed = peer;  // peers draw for themselves
        const auto back = decoded(own, peers[peer], bits);
        for (std::size_t i = 0; i < samples; ++i) {
            exact[i] += static_cast<double>(peers[peer][i]) / n;
            sent[i] += static_cast<double>(back[i]) / n;
        }
    }
    for (std::size_t i = 0; i < samples; ++i) errors[i] = sent[i] - exact[i];
    const auto contributions = bias_of(errors);
    const std::vector<float> mean(sent.begin(), sent.end());
    const auto result = decoded(papilio::detail::codec_back(codec), mean, bits);
    for (std::size_t i = 0; i < samples; ++i) errors[i] = static_cast<double>(result[i]) - exact[i];
    return {contributions, bias_of(errors)};
}

/// What three standard errors may explain is no bias that was seen.
std::string text(const bias& b)
{
    char line[32];
    if (std::abs(b.mean) < 3 * b.noise)
        std::snprintf(line, sizeof line, "< %.0e", 3 * b.noise);
    else
        std::snprintf(line, sizeof line, "%+.1e", b.mean);
    return line;
}

// ---- The plot: errors from 1 down to 1e-8, bits from 1/8 to 18, both by powers.

constexpr double width = 960, height = 640, left = 70, right = 140, top = 50, bottom = 60;

double x_of(double bits)
{
    return left + (std::log2(bits) + 3) / (std::log2(18) + 3) * (width - left - right);
}

double y_of(double error)
{
    return top + -std::log10(std::max(error, 1e-8)) / 8 * (height - top - bottom);
}

void draw_axes(std::ofstream& svg)
{
    for (int power = 0; power >= -8; --power) {
        const double y = y_of(std::pow(10, power));
        svg << "<line x1='" << left << "' x2='" << width - right << "' y1='" << y << "' y2='" << y
            << "' stroke='#e4e4e4'/><text x='" << left - 8 << "' y='" << y + 4
            << "' text-anchor='end'>1e" << power << "</text>\n";
    }
    for (const char* bits : {"0.125", "0.25", "0.5", "1", "2", "4", "8", "16"}) {
        const double x = x_of(std::stod(bits));
        svg << "<line x1='" << x << "' x2='" << x << "' y1='" << top << "' y2='" << height - bottom
            << "' stroke='#e4e4e4'/><text x='" << x << "' y='" << height - bottom + 18
            << "' text-anchor='middle'>" << bits << "</text>\n";
    }
    svg << "<text x='" << (width + left) / 2 << "' y='" << height - 18
        << "' text-anchor='middle'>bits per element</text>\n<text transform='translate(18,"
        << height / 2 << ") rotate(-90)' text-anchor='middle'>squared error over squares</text>\n";
}

/// What no code for normal numbers can do better than: an error of 4^-bits.
void draw_bound(std::ofstream& svg)
{
    svg << "<polyline fill='none' stroke='#888' stroke-dasharray='5 4' points='";
    for (double bits = 0.125; bits < 13.2; bits *= 1.05)
        svg << x_of(bits) << ',' << y_of(std::pow(4, -bits)) << ' ';
    svg << "'/>\n";
}

/// Names stand beside their points, moved down where they would meet.
void draw_codecs(std::ofstream& svg, std::vector<found> codecs)
{
    std::sort(codecs.begin(), codecs.end(),
              [](const auto& a, const auto& b) { return y_of(a.normal) < y_of(b.normal); });
    struct label {
        double x = 0, y = 0;
    };
    std::vector<label> labels;
    std::ostringstream names;  // above all points
    for (const auto& c : codecs) {
        const double x = x_of(c.bits), y = y_of(c.normal);
        svg << "<line x1='" << x << "' x2='" << x << "' y1='" << y << "' y2='" << y_of(c.heavy)
            << "' stroke='#f3c9a5'/><circle cx='" << x << "' cy='" << y_of(c.heavy)
            << "' r='4' fill='white' stroke='#d9660a' stroke-width='1.5'/><circle cx='" << x
            << "' cy='" << y << "' r='4' fill='#1f5fa8'/>\n";
        label mine{x + 9, y + 4};
        for (const auto& other : labels)
            if (std::abs(other.x - mine.x) < 130 && std::abs(other.y - mine.y) < 13)
                mine.y = other.y + 13;
        labels.push_back(mine);
        if (mine.y > y + 5)
            names << "<line x1='" << x << "' y1='" << y << "' x2='" << mine.x - 1 << "' y2='"
                  << mine.y - 4 << "' stroke='#bbb'/>\n";
        names << "<text x='" << mine.x << "' y='" << mine.y << "'>" << c.name << "</text>\n";
    }
    svg << names.str();
}

void draw(const std::vector<found>& codecs, const std::string& file)
{
    std::ofstream svg(file);
    svg << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
        << "' font-family='sans-serif' font-size='11.5'>\n<rect width='100%' height='100%' "
           "fill='white'/>\n<text x='"
        << left << "' y='20' font-size='15'>What codecs lose, over what they send</text>\n"
        << "<circle cx='" << left + 6 << "' cy='35' r='4' fill='#1f5fa8'/><text x='" << left + 15
        << "' y='39'>normal numbers</text><circle cx='" << left + 126
        << "' cy='35' r='4' fill='white' stroke='#d9660a' stroke-width='1.5'/><text x='"
        << left + 135 << "' y='39'>Student's t, three degrees of freedom</text><line x1='"
        << left + 360 << "' x2='" << left + 390
        << "' y1='35' y2='35' stroke='#888' stroke-dasharray='5 4'/><text x='" << left + 396
        << "' y='39'>the least that any code can lose of normal numbers</text>\n";
    draw_axes(svg);
    draw_bound(svg);
    draw_codecs(svg, codecs);
    svg << "</svg>\n";
    if (!svg) std::fprintf(stderr, "cannot write %s\n", file.c_str());
}

}  // namespace

void print_errors(const std::string& plot)
{
    const auto bell = normals(), tails = heavy_tails();
    const auto around_0 = normals(0, 1, 5), around_1 = normals(1, 0.1, 6);
    std::vector<std::vector<float>> peers;
    for (std::uint64_t peer = 0; peer < 16; ++peer) peers.push_back(normals(1, 0.3, 8 + peer));
    std::vector<found> all;
    std::puts(
        "| codec | bits per element | error, normal numbers | error, heavy tails "
        "| bias, 0 ± 1 | bias, 1 ± 0.1 | bias, 1 ± 0.3 | of the mean of 16 |");
    std::puts("|---|---|---|---|---|---|---|---|");
    for_each_codec([&](const std::string& name, const auto& codec) {
        found f{name};
        f.heavy = error(codec, tails, f.bits);
        f.normal = error(codec, bell, f.bits);
        const auto call = bias_of_mean(codec, peers);
        std::printf("| `%s` | %.3f | %.2e | %.2e | %s | %s | %s | %s |\n", name.c_str(), f.bits,
                    f.normal, f.heavy, text(bias_of(codec, around_0)).c_str(),
                    text(bias_of(codec, around_1)).c_str(), text(call.contributions).c_str(),
                    text(call.result).c_str());
        all.push_back(f);
    });
    if (!plot.empty()) draw(all, plot);
}

}  // namespace papilio::bench
