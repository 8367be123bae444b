#include "perf/losses/losing_group.hpp"

#include "perf/interrupt.hpp"
#include "perf/losses/losing_peer.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <system_error>

namespace papilio::perf {

namespace {

/// How long the others are waited for when a lost peer may still end its call.
constexpr double moment = 2;

std::vector<int> every_rank(int peers)
{
    std::vector<int> all(static_cast<std::size_t>(peers));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

call_end as_call_end(const message& m)
{
    call_end e;
    if (m.content.size() != sizeof(e)) throw std::runtime_error("a peer's outcome is cut short");
    std::memcpy(&e, m.content.data(), sizeof(e));
    return e;
}

std::string rank_text(int rank)
{
    return "peer " + std::to_string(rank);
}

}  // namespace

losing_group::losing_group(const options& o, const scenario& s, const private_network* net)
    : options_(o), scenario_(s), net_(net)
{
    for (int rank = 0; rank < o.peers; ++rank) {
        auto [ours, theirs] = joined_channels();
        all_.push_back(std::make_unique<child_process>([&, line = &theirs] {
            lines_.clear();  // the end of the coordinator must close all channels
            place p;
            p.rank = rank;
            p.peers = o.peers;
            p.address = net ? private_network::address(rank) : "127.0.0.1";
            if (net) net->enter(rank);
            return serve_losses(*line, p, o, s);
        }));
        lines_.push_back(std::move(ours));
    }
    const auto everybody = every_rank(o.peers);
    std::vector<std::string> texts;
    for (auto& m : hear_all(everybody, message_kind::exchange))
        texts.push_back(std::move(m.content));
    tell(everybody, message_kind::exchange, pack(texts));
}

losing_group::~losing_group()
{
    all_.clear();
    try {
        for (const auto& l : scenario_.losses)
            if (net_) net_->mend(l.rank);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "papilio-perf: %s\n", failure.what());
    }
}

double losing_group::time_of_call(bool everybody)
{
    const auto ranks = everybody ? every_rank(options_.peers) : scenario_.left(options_.peers);
    start(ranks, everybody ? all_peers : peers_left);
    hear_all(ranks, message_kind::meeting);
    std::int64_t begin = 0, end = 0;
    for (const auto& e : finish(ranks)) {
        if (!e.good) throw std::runtime_error(std::string("without losses: ") + e.why.data());
        if (e.wrong > 0 || e.view > 0) throw std::runtime_error("wrong without losses");
        begin = begin == 0 ? e.begin : std::min(begin, e.begin);
        end = std::max(end, e.end);
    }
    return static_cast<double>(end - begin) * 1e-9;
}

loss_outcome losing_group::lose(double seconds)
{
    const auto left = scenario_.left(options_.peers);
    std::vector<int> may_end;
    loss_outcome found;
    found.peers.resize(static_cast<std::size_t>(options_.peers));
    start(every_rank(options_.peers), all_peers);
    const auto begin = clock::now();
    for (const auto& l : scenario_.losses) {
        const std::chrono::duration<double> since = clock::now() - begin;
        wait_seconds(std::max(0.0, seconds * l.percent / 100 - since.count()));
        found.when.push_back(std::chrono::nanoseconds(clock::now().time_since_epoch()).count());
        befall(l);
        if (takes_network(l.how)) may_end.push_back(l.rank);
    }
    hear_all(left, message_kind::meeting);
    const auto ended = hear(may_end, message_kind::meeting, moment);
    auto ranks = left;
    for (std::size_t i = 0; i < may_end.size(); ++i)
        if (ended[i]) ranks.push_back(may_end[i]);
    const auto ends = finish(ranks);
    for (std::size_t i = 0; i < ranks.size(); ++i)
        found.peers[static_cast<std::size_t>(ranks[i])] = ends[i];
    return found;
}

void losing_group::start(const std::vector<int>& ranks, const char* group)
{
    tell(ranks, message_kind::task, group);
    hear_all(ranks, message_kind::meeting);
    tell(ranks, message_kind::meeting);
}

std::vector<call_end> losing_group::finish(const std::vector<int>& ranks)
{
    tell(ranks, message_kind::meeting);
    std::vector<call_end> ends;
    for (const auto& m : hear_all(ranks, message_kind::outcome)) ends.push_back(as_call_end(m));
    return ends;
}

void losing_group::befall(const loss& l)
{
    const auto& peer = *all_[static_cast<std::size_t>(l.rank)];
    switch (l.how) {
    case loss_kind::kill: peer.signal(SIGKILL); break;
    case loss_kind::stop: peer.signal(SIGSTOP); break;
    case loss_kind::cut: net_->cut(l.rank); break;
    case loss_kind::down: net_->take_down(l.rank); break;
    case loss_kind::slow: net_->slow_down(l.rank); break;
    }
}

void losing_group::tell(const std::vector<int>& ranks, message_kind kind,
                        const std::string& content)
{
    for (const int rank : ranks) lines_[static_cast<std::size_t>(rank)].send(kind, content);
}

std::vector<message> losing_group::hear_all(const std::vector<int>& ranks, message_kind kind)
{
    constexpr double preparation = 60;
    std::vector<message> all;
    auto heard = hear(ranks, kind, options_.timeout_seconds + preparation);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (!heard[i]) throw std::runtime_error(rank_text(ranks[i]) + " says nothing");
        all.push_back(std::move(*heard[i]));
    }
    return all;
}

std::vector<std::optional<message>> losing_group::hear(const std::vector<int>& ranks,
                                                       message_kind kind, double seconds)
{
    const auto end = clock::now() + std::chrono::duration<double>(seconds);
    std::vector<std::optional<message>> all(ranks.size());
    std::vector<pollfd> waiting;
    for (const int rank : ranks)
        waiting.push_back({lines_[static_cast<std::size_t>(rank)].descriptor(), POLLIN, 0});
    for (std::size_t left = ranks.size(); left > 0;) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()).count();
        if (ms <= 0) break;
        if (poll(waiting.data(), waiting.size(), static_cast<int>(ms)) < 0) {
            throw_if_interrupted();
            if (errno != EINTR) throw std::system_error(errno, std::system_category(), "poll");
            continue;
        }
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            if (waiting[i].revents == 0 || waiting[i].fd < 0) continue;
            auto m = lines_[static_cast<std::size_t>(ranks[i])].receive();
            if (!m) throw std::runtime_error(rank_text(ranks[i]) + " has died");
            if (m->kind != kind)
                throw std::runtime_error(
                    rank_text(ranks[i]) + ": " +
                    (m->kind == message_kind::failure ? m->content : "is not where others are"));
            all[i] = std::move(*m);
            waiting[i].fd = -1;
            --left;
        }
    }
    return all;
}

}  // namespace papilio::perf
