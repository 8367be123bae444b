#include "perf/losses/losing_peer.hpp"

#include "perf/data.hpp"
#include "perf/losses/call_end.hpp"
#include "perf/papilio/backend.hpp"
#include "perf/papilio/call.hpp"
#include "perf/peer.hpp"

#include <papilio/async/sync_wait.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>

namespace papilio::perf {

namespace {

std::int64_t steady_now()
{
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

/// By rank: when this process first missed that peer in the call under way.
std::array<std::atomic<std::int64_t>, most_peers_to_lose_from> first_missed;

void note_missed(const log_event& event)
{
    if (event.what != "peer missed in call") return;
    for (const auto& field : event.fields) {
        std::size_t rank = 0;
        if (field.name != "peer") continue;
        const auto* end = field.value.data() + field.value.size();
        if (std::from_chars(field.value.data(), end, rank).ec != std::errc{}) return;
        std::int64_t never = 0;
        if (rank < first_missed.size())
            first_missed[rank].compare_exchange_strong(never, steady_now());
    }
}

/// One peer's transport, data and calls.
class losing_peer {
public:
    losing_peer(const options& o, const scenario& s, const place& p)
        : options_(o),
          place_(p),
          left_(s.left(p.peers)),
          slows_(s.slows()),
          net_(loop_, p.rank,
               std::vector<tcp::endpoint>(static_cast<std::size_t>(p.peers), {p.address, 0}),
               tcp_options(o, p.peers))
    {
        const auto all = p.exchange(std::to_string(net_.local().port) + ' ' + p.address);
        for (int peer = 0; peer < p.peers; ++peer) {
            if (peer == p.rank) continue;
            const auto& at = all.at(static_cast<std::size_t>(peer));
            const auto space = at.find(' ');
            net_.set_address(peer, {at.substr(space + 1),
                                    static_cast<std::uint16_t>(std::stoi(at.substr(0, space)))});
        }
        sync_wait(loop_, net_.connect());
        if (!s.loses(p.rank)) subset_.emplace(net_, left_, 1);
        if (o.threads > 0) pool_.emplace(static_cast<unsigned>(o.threads));
        job_.count = o.sizes.front() / sizeof(float);
        own_.resize(static_cast<std::size_t>(job_.count));
        fill(data_kind::exact, job_, p.rank, p.peers, 0, std::span(own_));
    }

    void restore()
    {
        data_ = own_;
        for (auto& when : first_missed) when = 0;
    }

    call_end call(bool everybody)
    {
        call_end e;
        report_.reset();
        e.begin = steady_now();
        try {
            const auto net = everybody ? any_transport(net_) : any_transport(*subset_);
            const auto call = find_call(job_, "identity");
            report_ = sync_wait(loop_, call(net, nullptr, data_.data(), data_.size(), how()));
        } catch (const std::exception& failure) {
            std::snprintf(e.why.data(), e.why.size(), "%s", failure.what());
        }
        e.end = steady_now();
        std::ranges::copy(first_missed, e.missed.begin());
        return e;
    }

    /// Compares each element with the sum of what those gave who are in it. It takes a while, so
    /// that it waits until nobody is in the call any more.
    void judge(bool everybody, call_end& e) const
    {
        if (!report_) return;
        e.good = true;
        e.view = report_->view;
        e.made_again = report_->made_again;
        e.bits = hash(digest(std::as_bytes(std::span(data_))), e.made_again,
                      static_cast<std::uint64_t>(e.view));
        std::size_t next = 0;
        for (const auto& made : report_->made_of) {
            std::vector<int> from;
            for (const auto& c : made.from)
                from.push_back(everybody ? c.rank : left_.at(static_cast<std::size_t>(c.rank)));
            for (const int rank : from)
                e.bits = hash(e.bits, made.range.begin, static_cast<std::uint64_t>(rank));
            if (made.range.begin != next) throw std::logic_error("the report has a gap");
            next += made.range.size;
            e.made_of.at(from.size()) += made.range.size;
            for (auto i = made.range.begin; i < next; ++i)
                e.wrong += data_.at(i) != sum_of(from, i) ? 1 : 0;
        }
        e.wrong += data_.size() - next;
    }

private:
    call_options how()
    {
        return {.timeout = std::chrono::duration_cast<duration>(
                    std::chrono::duration<double>(options_.timeout_seconds)),
                .salvage = true,
                .uniform = options_.uniform,
                .on_straggler = slows_ ? on_straggler::drop_to_save : on_straggler::drop_overdue,
                .chunk_bytes = options_.chunk_bytes,
                .in_flight = options_.in_flight,
                .pool = pool_ ? &*pool_ : nullptr};
    }

    float sum_of(const std::vector<int>& from, std::size_t i) const
    {
        double sum = 0;
        for (const int rank : from)
            sum += input<float>(data_kind::exact, reduction::sum, rank, place_.peers, i);
        return static_cast<float>(sum);
    }

    const options& options_;
    place place_;
    std::vector<int> left_;
    bool slows_;
    asio_loop loop_;
    tcp::transport net_;
    std::optional<subset<tcp::transport>> subset_;
    std::optional<thread_pool> pool_;
    job job_;
    std::vector<float> own_, data_;
    std::optional<report> report_;
};

/// Waits until all whom the coordinator waits for are here.
bool meet_others(channel& line)
{
    line.send(message_kind::meeting);
    return line.receive().has_value();
}

void make_calls(channel& line, const place& p, const options& o, const scenario& s)
{
    losing_peer self(o, s, p);
    while (const auto order = line.receive()) {
        const bool everybody = order->content == all_peers;
        self.restore();
        if (!meet_others(line)) return;
        auto e = self.call(everybody);
        if (!meet_others(line)) return;
        self.judge(everybody, e);
        std::string text(sizeof(e), '\0');
        std::memcpy(text.data(), &e, sizeof(e));
        line.send(message_kind::outcome, text);
    }
}

}  // namespace

bool serve_losses(channel& line, place p, const options& o, const scenario& s)
{
    set_log(note_missed, log_level::info);
    p.exchange = [&](const std::string& text) {
        line.send(message_kind::exchange, text);
        const auto answer = line.receive();
        if (!answer) throw std::runtime_error("the coordinator has gone");
        return unpack(answer->content);
    };
    return serve_with(line, [&] { make_calls(line, p, o, s); });
}

}  // namespace papilio::perf
