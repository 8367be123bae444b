// Any bytes are a frame of flow control that encodes to them again, or are refused; and whatever
// such frames say, a mailbox and a window for sending keep their bounds.

#include <papilio/transport/detail/flow.hpp>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace pa = papilio;

namespace {

constexpr std::size_t limit = 1 << 16;

/// Hears what a mailbox answers.
struct answers final : pa::detail::flow_replies {
    void reply(int, const pa::wire::flow& f) override
    {
        if (pa::wire::parse_flow(pa::wire::encode(f)) != f) std::abort();
    }
    bool answer_call(int, pa::tag t, pa::bytes) override
    {
        const auto call = pa::fields_of(t).call;
        if (call != 1 || std::exchange(answered, true)) std::abort();
        return true;
    }
    bool answered = false;
};

class message final : public pa::detail::send_window::message {
public:
    using pa::detail::send_window::message::message;
    int outcomes = 0;

private:
    void tell(const pa::wire::flow& f) override
    {
        if (pa::wire::parse_flow(pa::wire::encode(f)) != f) std::abort();
    }
    void permitted() override { ++outcomes; }
    void ended(std::error_code) override { ++outcomes; }
};

void read(pa::bytes input)
{
    answers hears;
    pa::mailbox box(limit);
    box.open(1, hears, limit);
    box.leave_answer(pa::make_tag({.call = 1}), std::vector<std::byte>(20));
    pa::gate heard;
    box.watch_call(pa::make_tag({.call = 2}), heard);
    pa::detail::send_window window(1000);
    message a(pa::tag{1}, 100), b(pa::tag{1}, 10), c(pa::tag{2}, 5000), d(pa::tag{3}, 700);
    for (auto* m : {&a, &b, &c, &d}) m->outcomes += window.admits(*m);
    while (input.size() >= pa::wire::flow::encoded_size) {
        const auto next = input.first(pa::wire::flow::encoded_size);
        input = input.subspan(next.size());
        const auto f = pa::wire::parse_flow(next);
        if (!std::ranges::equal(pa::wire::encode(f), next)) std::abort();
        pa::detail::take_flow(f, 1, window, box);
        box.deliver(1, pa::tag{f.subject}, next.first(f.number % 24));
        if (box.most_held() > limit) std::abort();
    }
    window.fail(pa::errc::disconnected);
    box.unwatch_call(heard);
    for (auto* m : {&a, &b, &c, &d})
        if (m->outcomes != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        read(std::as_bytes(std::span(data, size)));
    } catch (const std::system_error& refusal) {
        if (refusal.code() != pa::errc::bad_message) std::abort();
    }
    return 0;
}
