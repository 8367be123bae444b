// Whatever the other side writes into shared memory, no end of a ring leaves it; and as long as the
// other side is honest, bytes come as they were sent. An input is a list of commands, the first
// byte says whether the other side may lie.

#include <papilio/transport/shm/ring.hpp>

#include <array>
#include <cstdlib>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace {

namespace pa = papilio;
using namespace papilio::shm::detail;

constexpr std::size_t ring_bytes = 256;

void require(bool condition)
{
    if (!condition) std::abort();
}

struct both_ends {
    std::unique_ptr<ring_state> state = std::make_unique<ring_state>();
    std::vector<std::byte> data = std::vector<std::byte>(ring_bytes);
    ring_writer out{*state, data};
    ring_reader in{*state, data};
    std::deque<std::byte> between;
    std::byte next{};
    bool lies = false;

    void write(std::size_t size)
    {
        std::vector<std::byte> sent(size);
        for (auto& b : sent) b = next = static_cast<std::byte>(static_cast<int>(next) * 5 + 1);
        const std::array<pa::bytes, 2> pieces{pa::bytes(sent).first(size / 3),
                                              pa::bytes(sent).subspan(size / 3)};
        std::error_code error;
        const auto n = out.write_some(pieces, error, [] {});
        require(n <= size && (lies || !error));
        if (!lies) between.insert(between.end(), sent.begin(), sent.begin() + std::ptrdiff_t(n));
        require(lies || between.size() <= ring_bytes);
        if (n < size) next = n > 0 ? sent[n - 1] : next;
    }

    void read(std::size_t size)
    {
        std::vector<std::byte> came(size);
        const std::array<pa::mutable_bytes, 2> buffers{pa::mutable_bytes(came).first(size / 2),
                                                       pa::mutable_bytes(came).subspan(size / 2)};
        std::error_code error;
        const auto n = in.read_some(buffers, error, [] {});
        require(n <= size && (lies || !error));
        if (lies) return;
        require(n == std::min(size, between.size()));
        for (std::size_t i = 0; i < n; ++i) {
            require(came[i] == between.front());
            between.pop_front();
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    both_ends ring;
    ring.lies = data[0] % 2 != 0;
    for (std::size_t at = 1; at + 10 <= size; at += 10) {
        const auto value =
            pa::load<std::uint64_t>(reinterpret_cast<const std::byte*>(data) + at + 2);
        switch (data[at] % (ring.lies ? 6 : 2)) {
        case 0: ring.write(data[at + 1] * std::size_t{3}); break;
        case 1: ring.read(data[at + 1] * std::size_t{3}); break;
        case 2: ring.state->written = value; break;
        case 3: ring.state->read = value; break;
        case 4: ring.state->written += data[at + 1]; break;
        default: ring.state->read -= data[at + 1];
        }
    }
    return 0;
}
