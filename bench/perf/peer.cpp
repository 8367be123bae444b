#include "perf/peer.hpp"

#include "perf/measure.hpp"

#include <cstring>
#include <exception>
#include <stdexcept>

namespace papilio::perf {

namespace {

/// Sends a message to the coordinator and waits for its answer. The answer comes after all peers
/// have sent theirs.
std::string agree(channel& line, message_kind kind, const std::string& content)
{
    line.send(kind, content);
    auto answer = line.receive();
    if (!answer || answer->kind != kind) throw std::runtime_error("the coordinator has gone");
    return std::move(answer->content);
}

std::string as_text(const outcome& o)
{
    std::string text(sizeof(findings) + o.seconds.size() * sizeof(double), '\0');
    std::memcpy(text.data(), &o.found, sizeof(findings));
    std::memcpy(text.data() + sizeof(findings), o.seconds.data(),
                o.seconds.size() * sizeof(double));
    return text;
}

void work(channel& line, place& p, const join_function& join)
{
    std::unique_ptr<backend> self;
    buffers memory;
    double base = 0;
    const auto meet = [&] { agree(line, message_kind::meeting, {}); };
    while (const auto order = line.receive()) {
        if (order->kind != message_kind::task || order->content.size() != sizeof(job))
            throw std::runtime_error("the coordinator said something else than a job");
        job j;
        std::memcpy(&j, order->content.data(), sizeof(j));
        if (!self || j.fresh) {
            memory = buffers();
            self.reset();
            meet();  // the old listeners are closed in all peers then
            self = join(p);
            base = memory_in_use().now;
        }
        outcome o;
        if (self->takes(j))
            o = measure(*self, p, j, memory, base, meet);
        else
            o.found.took_part = false;
        line.send(message_kind::outcome, as_text(o));
    }
    // The coordinator has closed the channel. This peer does not wait for the others, whose links
    // may close at any time.
}

}  // namespace

bool serve_with(channel& line, const std::function<void()>& work)
{
    try {
        work();
        return true;
    } catch (const std::exception& failure) {
        try {
            line.send(message_kind::failure, failure.what());
        } catch (const std::exception&) {
            // The coordinator has ended as well.
        }
        return false;
    }
}

bool serve(channel& line, place p, const join_function& join)
{
    p.exchange = [&](const std::string& text) {
        return unpack(agree(line, message_kind::exchange, text));
    };
    return serve_with(line, [&] { work(line, p, join); });
}

}  // namespace papilio::perf
