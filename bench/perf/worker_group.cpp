#include "perf/worker_group.hpp"

#include "perf/interrupt.hpp"

#include <papilio/base/random.hpp>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <thread>

namespace papilio::perf {

measurement combine(const job& j, const std::vector<outcome>& outcomes)
{
    measurement m;
    double error = 0, power = 0;
    for (const auto& o : outcomes) {
        m.seconds.resize(o.seconds.size());
        for (std::size_t i = 0; i < o.seconds.size(); ++i)
            m.seconds[i] = std::max(m.seconds[i], o.seconds[i]);
        m.wrong = std::max(m.wrong, o.found.wrong);
        m.lost = std::max(m.lost, static_cast<int>(o.found.lost));
        m.measures_wire = o.found.measures_wire;
        m.wire_bytes += o.found.wire_bytes;
        m.processor_seconds += o.found.processor_seconds / j.iterations;
        m.wakes += o.found.wakes / j.iterations / static_cast<double>(outcomes.size());
        m.peak_bytes = std::max(m.peak_bytes, o.found.peak_bytes);
        m.same_bits = m.same_bits && o.found.digest == outcomes.front().found.digest;
        m.digest = hash(m.digest, o.found.digest);
        error += o.found.squared_error;
        power += o.found.squared_truth;
    }
    // A time is the end of an iteration. An iteration lasts from the end of the one before to its
    // own end, since it may begin before that one has ended in all peers.
    for (std::size_t i = m.seconds.size(); i-- > 1;) m.seconds[i] -= m.seconds[i - 1];
    if (j.what == collective::reduce_scatter) {
        m.same_bits = true;  // each peer has a different part
    } else {
        m.digest = outcomes.front().found.digest;
    }
    m.relative_error = power > 0 ? std::sqrt(error / power) : 0;
    return m;
}

namespace {

outcome as_outcome(const std::string& text)
{
    outcome o;
    if (text.size() < sizeof(findings)) throw std::runtime_error("a peer's outcome is cut short");
    std::memcpy(&o.found, text.data(), sizeof(findings));
    o.seconds.resize((text.size() - sizeof(findings)) / sizeof(double));
    std::memcpy(o.seconds.data(), text.data() + sizeof(findings),
                o.seconds.size() * sizeof(double));
    return o;
}

}  // namespace

/// Reads one message from every peer. Throws as soon as a peer reports a failure.
std::vector<message> remote_workers::receive_all(double patience)
{
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + std::chrono::duration<double>(patience);
    std::vector<message> all(lines_.size());
    std::vector<pollfd> waiting;
    for (const auto& line : lines_) waiting.push_back({line.descriptor(), POLLIN, 0});
    for (std::size_t received = 0; received < lines_.size();) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()).count();
        if (left <= 0) {
            const auto silent = std::ranges::find_if(waiting, [](auto& w) { return w.fd >= 0; });
            throw std::runtime_error("peer " + std::to_string(silent - waiting.begin()) +
                                     " has said nothing for " +
                                     std::to_string(static_cast<int>(patience)) + " s");
        }
        const auto most = std::min<decltype(left)>(left, std::numeric_limits<int>::max());
        if (poll(waiting.data(), waiting.size(), static_cast<int>(most)) < 0) {
            throw_if_interrupted();
            if (errno != EINTR) throw std::system_error(errno, std::system_category(), "poll");
            continue;
        }
        for (std::size_t rank = 0; rank < lines_.size(); ++rank) {
            if (waiting[rank].revents == 0 || waiting[rank].fd < 0) continue;
            auto m = lines_[rank].receive();
            const auto who = "peer " + std::to_string(rank);
            if (!m) throw std::runtime_error(who + " has died");
            if (m->kind == message_kind::failure) throw std::runtime_error(who + ": " + m->content);
            all[rank] = std::move(*m);
            waiting[rank].fd = -1;
            ++received;
        }
    }
    return all;
}

std::optional<measurement> remote_workers::run(const job& j, double patience)
{
    const std::string order(reinterpret_cast<const char*>(&j), sizeof(j));
    for (auto& line : lines_) line.send(message_kind::task, order);
    for (;;) {
        auto received = receive_all(patience);
        const auto kind = received.front().kind;
        for (const auto& m : received)
            if (m.kind != kind) throw std::runtime_error("the peers are not at the same point");
        if (kind == message_kind::outcome) {
            std::vector<outcome> outcomes;
            for (const auto& m : received) outcomes.push_back(as_outcome(m.content));
            if (!outcomes.front().found.took_part) return std::nullopt;
            return combine(j, outcomes);
        }
        std::vector<std::string> texts;
        if (kind == message_kind::exchange)
            for (auto& m : received) texts.push_back(std::move(m.content));
        const auto answer = pack(texts);
        for (auto& line : lines_) line.send(kind, answer);
    }
}

namespace {

/// Forks a process. It ends when `body` returns or when this process ends.
pid_t fork_child(const std::function<bool()>& body)
{
    std::fflush(nullptr);
    const auto parent = getpid();
    const auto child = fork();
    if (child < 0) throw std::system_error(errno, std::system_category(), "cannot fork");
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGINT, SIG_IGN);  // the coordinator ends this process
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGHUP, SIG_DFL);
    if (getppid() != parent) _exit(1);
    const bool good = body();
    std::fflush(nullptr);
    _exit(good ? 0 : 1);
}

void end_child(pid_t child)
{
    if (child <= 0) return;
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

child_process::child_process(const std::function<bool()>& life) : process_(fork_child(life)) {}

child_process::~child_process()
{
    end_child(process_);
}

void child_process::signal(int number) const
{
    kill(process_, number);
}

bool run_children(const std::vector<std::function<bool()>>& lives)
{
    std::vector<pid_t> children;
    for (const auto& life : lives)
        children.push_back(fork_child([&] {
            try {
                return life();
            } catch (const std::exception& failure) {
                std::fprintf(stderr, "papilio-perf: %s\n", failure.what());
                return false;
            }
        }));
    bool good = true;
    for (const auto child : children) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0) throw_if_interrupted();
        good = good && status == 0;
    }
    return good;
}

forked_workers::forked_workers(int peers, const life& body)
{
    for (int rank = 0; rank < peers; ++rank) {
        auto [ours, theirs] = joined_channels();
        children_.push_back(fork_child([&, line = &theirs] {
            lines_.clear();  // the end of the coordinator must close all channels
            return body(rank, *line);
        }));
        lines_.push_back(std::move(ours));
    }
}

forked_workers::~forked_workers()
{
    for (const auto child : children_) end_child(child);
}

threaded_workers::threaded_workers(int peers, const std::function<bool(int, channel&)>& body)
{
    std::vector<channel> theirs;
    for (int rank = 0; rank < peers; ++rank) {
        auto [ours, other] = joined_channels();
        lines_.push_back(std::move(ours));
        theirs.push_back(std::move(other));
    }
    child_ = fork_child([&] {
        lines_.clear();
        std::vector<std::jthread> threads;
        for (int rank = 0; rank < peers; ++rank)
            threads.emplace_back([&, rank] { body(rank, theirs[static_cast<std::size_t>(rank)]); });
        return true;
    });
}

threaded_workers::~threaded_workers()
{
    end_child(child_);
}

}  // namespace papilio::perf
