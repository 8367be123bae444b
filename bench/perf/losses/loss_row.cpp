#include "perf/losses/loss_row.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace papilio::perf {

namespace {

double in_seconds(std::int64_t nanoseconds)
{
    return static_cast<double>(nanoseconds) * 1e-9;
}

/// The first time at which one of those who are left missed a peer. 0: none did.
std::int64_t first_missing(const loss_outcome& found, const scenario& s, int rank)
{
    std::int64_t first = 0;
    for (std::size_t peer = 0; peer < found.peers.size(); ++peer) {
        if (s.loses(static_cast<int>(peer))) continue;
        const auto when = found.peers[peer]->missed[static_cast<std::size_t>(rank)];
        if (when > 0 && (first == 0 || when < first)) first = when;
    }
    return first;
}

/// How long at least one of these spans was. They are in the order of their begins.
double union_of(const std::vector<std::pair<std::int64_t, std::int64_t>>& spans)
{
    std::int64_t sum = 0, until = 0;
    for (const auto& [begin, end] : spans) {
        sum += std::max<std::int64_t>(0, end - std::max(begin, until));
        until = std::max(until, end);
    }
    return in_seconds(sum);
}

std::string end_text(const loss& l, const std::optional<call_end>& e, std::int64_t lost)
{
    if (l.how == loss_kind::kill) return "killed";
    if (l.how == loss_kind::stop) return "stopped";
    if (!e) return "in the call";
    char text[260];
    std::snprintf(text, sizeof(text), "%s after %.2f s", e->good ? "success" : e->why.data(),
                  in_seconds(e->end - lost));
    return text;
}

/// Adds what those say who have ended the call.
void add_ends(const scenario& s, const loss_outcome& found, loss_row& r)
{
    const auto first = s.left(static_cast<int>(found.peers.size())).front();
    const auto& e = *found.peers[static_cast<std::size_t>(first)];
    r.view = e.view;
    r.made_again = e.made_again;
    for (std::size_t n = 0; n < e.made_of.size(); ++n)
        if (e.made_of[n] > 0) r.made_of[n] = e.made_of[n];
    for (std::size_t rank = 0; rank < found.peers.size(); ++rank) {
        const auto& other = found.peers[rank];
        const auto fail = [&](const std::string& what) {
            r.failures.push_back("peer " + std::to_string(rank) + ": " + what);
        };
        if (!other) continue;
        if (!other->good) {
            if (!s.loses(static_cast<int>(rank))) fail(other->why.data());
            continue;
        }
        if (other->wrong > 0) fail(std::to_string(other->wrong) + " wrong elements");
        if (e.good && other->bits != e.bits)
            fail("another result than peer " + std::to_string(first));
    }
}

}  // namespace

loss_row loss_row_of(const scenario& s, const loss_outcome& found, double all_time,
                     double left_time)
{
    loss_row r;
    r.lost = s.text;
    r.all_time = all_time;
    r.left_time = left_time;
    std::int64_t begin = std::numeric_limits<std::int64_t>::max(), end = 0;
    for (const int rank : s.left(static_cast<int>(found.peers.size()))) {
        begin = std::min(begin, found.peers[static_cast<std::size_t>(rank)]->begin);
        end = std::max(end, found.peers[static_cast<std::size_t>(rank)]->end);
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> unnoticed;
    for (std::size_t i = 0; i < s.losses.size(); ++i) {
        const auto missed = first_missing(found, s, s.losses[i].rank);
        unnoticed.emplace_back(found.when[i], missed > 0 ? missed : found.when[i]);
        r.lost_ends +=
            (i == 0 ? "" : ", ") + end_text(s.losses[i],
                                            found.peers[static_cast<std::size_t>(s.losses[i].rank)],
                                            found.when[i]);
    }
    r.at = in_seconds(found.when.front() - begin);
    r.detection = union_of(unnoticed);
    r.took = in_seconds(end - begin);
    r.after = in_seconds(end - found.when.back());
    r.restart = in_seconds(unnoticed.back().second - begin) + left_time;
    add_ends(s, found, r);
    return r;
}

void print_loss_head()
{
    std::printf("# %-18s %8s %8s %8s %8s %8s %8s %6s %8s %7s %5s  %-22s %s\n", "lost", "all",
                "left", "lost at", "detected", "ended", "took", "ratio", "restart", "again", "view",
                "made of", "lost peers");
    std::printf("# %-18s %8s %8s %8s %8s %8s %8s %6s %8s %7s %5s  %-22s\n", "", "(s)", "(s)", "(s)",
                "(s)", "(s)", "(s)", "", "(s)", "(%)", "", "(peers: %)");
    std::fflush(stdout);
}

void print_loss_row(const loss_row& r)
{
    const auto percent = [&](std::uint64_t elements) {
        return 100 * static_cast<double>(elements) / static_cast<double>(r.count);
    };
    std::string made_of;
    for (auto each = r.made_of.rbegin(); each != r.made_of.rend(); ++each) {
        char text[60];
        std::snprintf(text, sizeof(text), "%zu: %.1f ", each->first, percent(each->second));
        made_of += text;
    }
    std::printf("  %-18s %8.3f %8.3f %8.3f %8.3f %8.3f %8.3f %6.3f %8.3f %7.2f %5d  %-22s %s\n",
                r.lost.c_str(), r.all_time, r.left_time, r.at, r.detection, r.after, r.took,
                r.ratio(), r.restart, percent(r.made_again), r.view, made_of.c_str(),
                r.lost_ends.c_str());
    for (const auto& f : r.failures) std::printf("# FAILED: %s: %s\n", r.lost.c_str(), f.c_str());
    std::fflush(stdout);
}

namespace {

using loss_measure = double (*)(const loss_row&);

const std::map<std::string, loss_measure, std::less<>>& loss_measures()
{
    static const std::map<std::string, loss_measure, std::less<>> all{
        {"detection", [](const loss_row& r) { return r.detection; }},
        {"ratio", [](const loss_row& r) { return r.ratio(); }},
        {"over_all", [](const loss_row& r) { return r.took / r.all_time; }},
        {"over_restart", [](const loss_row& r) { return r.took / r.restart; }},
        {"again",
         [](const loss_row& r) {
             return static_cast<double>(r.made_again) / static_cast<double>(r.count);
         }},
    };
    return all;
}

}  // namespace

bool measures_losses(std::string_view measure)
{
    return loss_measures().contains(measure);
}

bool check_loss_requirements(const std::vector<requirement>& all, const std::vector<loss_row>& rows)
{
    bool good = true;
    for (const auto& q : all) {
        const auto found = loss_measures().find(q.measure);
        const bool names_one = q.text.find(':') != std::string::npos;
        bool any = false;
        for (const auto& r : rows) {
            if (found == loss_measures().end() || (names_one && !r.lost.starts_with(q.subject)))
                continue;
            any = true;
            const auto value = found->second(r);
            const bool met = q.at_least ? value >= q.bound : value <= q.bound;
            std::printf("# %s %s of %s: %.4g\n", met ? "met   " : "FAILED", q.text.c_str(),
                        r.lost.c_str(), value);
            good = good && met;
        }
        if (!any) std::printf("# FAILED %s: there is nothing to compare\n", q.text.c_str());
        good = good && any;
    }
    return good;
}

}  // namespace papilio::perf
