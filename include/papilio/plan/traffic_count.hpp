#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/plan/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Bytes of wire data over every part of the network, and messages by the busiest peer.
class traffic_count {
public:
    traffic_count(const link_table& links, const workload& work, const schedule& how)
        : links_(links), stages_(static_cast<int>(links.access.size()), how.radix)
    {
        const auto n = links.access.size();
        std::vector<double> part(n, 1.0 / static_cast<double>(n));
        if (!how.shares.empty()) {
            if (how.shares.size() != n) throw bad_length("schedule::shares", how.shares.size(), n);
            double all = 0;
            for (std::size_t i = 0; i < n; ++i) {
                if (!(how.shares[i] >= 0))
                    throw bad_value("schedule::shares[" + std::to_string(i) + "]", "at least 0",
                                    how.shares[i]);
                all += how.shares[i];
            }
            if (!(all > 0) || !std::isfinite(all))
                throw bad_value("the sum of schedule::shares", "above 0, and finite", all);
            for (std::size_t i = 0; i < n; ++i) part[i] = how.shares[i] / all;
        }
        const auto partners = static_cast<std::size_t>(stages_.radix(0));
        chunk_ = how.chunk_bytes != 0 ? how.chunk_bytes : default_chunk_bytes(work.bytes, partners);
        for (int k = 0; k < stages_.stages(); ++k)
            count_stage(k, part, static_cast<double>(work.bytes));
        for (auto& bytes : moved_) bytes *= work.wire_ratio;
        for (auto& row : between_)
            for (auto& bytes : row) bytes *= work.wire_ratio;
        largest_pair_ *= work.wire_ratio;
        streams_rate_ =
            links.stream_rate * static_cast<double>(std::max<std::size_t>(how.streams, 1));
    }

    /// The longest any line is busy, in seconds, and which.
    std::pair<double, std::string> busiest_line() const
    {
        std::pair<double, std::string> busiest{0, "latency"};
        const auto see = [&](double bytes, double rate, const auto& name) {
            if (bytes / rate > busiest.first) busiest = {bytes / rate, name()};
        };
        for (std::size_t p = 0; p < links_.access.size(); ++p) {
            const auto of = [&](const char* what) {
                return std::string("the ") + what + " of peer " + std::to_string(p);
            };
            see(moved_[p], links_.access[p].up, [&] { return of("uplink"); });
            see(moved_[p], links_.access[p].down, [&] { return of("downlink"); });
        }
        for (std::size_t from = 0; from < between_.size(); ++from)
            for (std::size_t to = 0; to < between_.size(); ++to)
                if (from != to)
                    see(between_[from][to], links_.between[from][to], [&] {
                        return "the line from site " + std::to_string(from) + " to site " +
                               std::to_string(to);
                    });
        if (streams_rate_ > 0)
            see(largest_pair_, streams_rate_,
                [] { return std::string("the streams between two peers"); });
        return busiest;
    }

    double messages() const noexcept { return messages_; }
    int stages() const { return stages_.stages(); }
    int partners() const { return stages_.radix(0); }

private:
    /// A peer sends each partner what the other owns, and what it owns itself to all of them; it
    /// receives as much.
    void count_stage(int k, std::span<const double> part, double whole)
    {
        const int n = stages_.peers();
        const int groups = stages_.block_size(k) * stages_.radix(k);
        std::vector<double> owned(static_cast<std::size_t>(groups), 0.0);
        for (std::size_t p = 0; p < part.size(); ++p) owned[p % owned.size()] += part[p] * whole;
        if (k == 0)
            columns_ =
                std::max(1.0, std::ceil(std::ranges::max(owned) / static_cast<double>(chunk_)));
        messages_ += 4.0 * (stages_.radix(k) - 1) * columns_;
        moved_.resize(part.size(), 0.0);
        if (!links_.between.empty())
            between_.resize(links_.between.size(), std::vector<double>(links_.between.size(), 0.0));
        for (int p = 0; p < n; ++p) {
            const double own = owned[static_cast<std::size_t>(p % groups)];
            for (int d = 0; d < stages_.radix(k); ++d) {
                const int peer = stages_.partner(p, k, d);
                if (peer == p) continue;
                const double bytes = own + owned[static_cast<std::size_t>(peer % groups)];
                moved_[static_cast<std::size_t>(p)] += bytes;
                largest_pair_ = std::max(largest_pair_, bytes);
                if (!between_.empty()) between_[site(p)][site(peer)] += bytes;
            }
        }
    }

    std::size_t site(int p) const
    {
        return links_.site.empty() ? 0 : links_.site[static_cast<std::size_t>(p)];
    }

    const link_table& links_;
    butterfly stages_;
    std::size_t chunk_ = 0;
    double columns_ = 1;
    double messages_ = 0;      // sent and received by a peer
    double largest_pair_ = 0;  // bytes that two peers send each other, each way, in a stage
    double streams_rate_ = 0;
    std::vector<double> moved_;
    std::vector<std::vector<double>> between_;
};

}  // namespace papilio::detail
