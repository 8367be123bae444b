// A transport of one's own has four members. This one joins two peers and counts what passes.

#include <papilio/papilio.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;

class wire {
public:
    explicit wire(int rank) : rank_(rank) {}
    void attach(wire& other) { other_ = &other; }
    std::size_t carried() const { return carried_; }
    int rank() const { return rank_; }
    int size() const { return 2; }

    pa::task<> send(int, pa::tag t, pa::bytes message)
    {
        carried_ += message.size();
        other_->inbox_.deliver(rank_, t, message);
        co_return;
    }

    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes into)
    {
        co_return co_await inbox_.take(peer, t, into);
    }

private:
    int rank_;
    wire* other_ = nullptr;
    std::size_t carried_ = 0;
    pa::mailbox inbox_;
};

pa::task<> reduce(wire& net, std::vector<float>& data)
{
    co_await pa::all_reduce_in_place(net, data, pa::sum{}, pa::identity{}, {.call = 1});
}

pa::task<> both(pa::task<> one, pa::task<> other)
{
    co_await pa::when_all(std::move(one), std::move(other));
}

int main()
{
    wire a(0), b(1);
    a.attach(b), b.attach(a);
    std::vector<float> x{1, 2, 3}, y{10, 20, 30};
    pa::thread_loop loop;
    pa::sync_wait(loop, both(reduce(a, x), reduce(b, y)));
    std::printf("%g %g %g = %g %g %g, after %zu bytes\n", x[0], x[1], x[2], y[0], y[1], y[2],
                a.carried() + b.carried());
}
