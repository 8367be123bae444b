#include "perf/measure.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <new>
#include <string>

namespace papilio::perf {

buffers::buffers(std::size_t each) : each_((each + 4095) / 4096 * 4096)
{
    if (each_ == 0) return;
    void* got =
        mmap(nullptr, 2 * each_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(got);
}

buffers::buffers(buffers&& from) noexcept
    : each_(std::exchange(from.each_, 0)), memory_(std::exchange(from.memory_, nullptr))
{
}

buffers& buffers::operator=(buffers&& from) noexcept
{
    std::swap(each_, from.each_);
    std::swap(memory_, from.memory_);
    return *this;
}

buffers::~buffers()
{
    if (memory_) munmap(memory_, 2 * each_);
}

memory_use memory_in_use()
{
    memory_use use;
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word != "VmHWM:" && word != "VmRSS:") continue;
        double kib = 0;
        status >> kib;
        (word == "VmHWM:" ? use.peak : use.now) = kib * 1024;
    }
    return use;
}

void forget_peak()
{
    malloc_trim(0);  // returns the memory of earlier jobs to the system
    std::ofstream("/proc/self/clear_refs") << "5";
}

namespace {

double seconds_of(clockid_t which)
{
    timespec t{};
    clock_gettime(which, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Runs the calls of one job. With `restores`, the input is copied to the output before each call.
class repetition {
public:
    repetition(backend& c, bool restores, const void* from, void* to, std::size_t size)
        : backend_(c), restores_(restores), from_(from), to_(to), size_(size)
    {
    }

    void warm_up(std::uint32_t times)
    {
        for (std::uint32_t i = 0; i < times; ++i) {
            if (restores_) std::memcpy(to_, from_, size_);
            backend_.call();
        }
    }

    void run(std::uint32_t times, bool each_alone, outcome& o)
    {
        const auto begin = clock::now();
        auto last = begin;
        double copying = 0;
        o.seconds.reserve(times);
        for (std::uint32_t i = 0; i < times; ++i) {
            if (restores_) {
                const auto spent = seconds_of(CLOCK_THREAD_CPUTIME_ID);
                const auto before = clock::now();
                std::memcpy(to_, from_, size_);
                last = clock::now();
                copied_ += last - before;
                copying += seconds_of(CLOCK_THREAD_CPUTIME_ID) - spent;
            }
            const auto facts = backend_.call();
            const auto now = clock::now();
            const std::chrono::duration<double> took =
                each_alone ? now - last : now - begin - copied_;
            o.seconds.push_back(took.count());
            o.found.lost = std::max(o.found.lost, facts.lost);
            o.found.measures_wire = facts.measures_wire;
            o.found.wire_bytes = facts.wire_bytes;
        }
        o.found.processor_seconds -= copying;
    }

private:
    using clock = std::chrono::steady_clock;

    backend& backend_;
    bool restores_;
    const void* from_;
    void* to_;
    std::size_t size_;
    clock::duration copied_{};
};

}  // namespace

outcome measure(backend& c, const place& p, const job& j, buffers& memory, double base,
                const std::function<void()>& meet)
{
    const auto size = static_cast<std::size_t>(j.count) * size_of(j.type);
    if (memory.each() < size || memory.each() > 2 * size + 8192) {
        memory = buffers();
        memory = buffers(size);
    }
    const auto in = input_of(j, p.rank, p.peers);
    const auto result = output_of(j, p.rank, p.peers);
    with_type(j.type, [&]<class T>(std::type_identity<T>) {
        fill(c.data(), j, p.rank, p.peers, in.begin,
             std::span(reinterpret_cast<T*>(memory.in()), in.size));
    });
    std::memset(memory.out(), 0xff, size);  // an element that is not written is then wrong

    outcome o;
    forget_peak();
    c.prepare(j, j.in_place ? nullptr : memory.in(), memory.out());
    repetition calls(c, j.in_place || c.in_place_only(j), memory.in(), memory.out(), size);
    calls.warm_up(j.warm_up);
    meet();
    const auto own_time = p.shares_process ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
    const auto spent = seconds_of(own_time);
    calls.run(j.iterations, j.in_place, o);
    meet();  // background threads may still send
    o.found.processor_seconds += seconds_of(own_time) - spent;
    // In place, only the restoring copy needs the input buffer. The buffer exists all the same.
    const auto sharers = p.shares_process ? p.peers : 1;
    const auto own = 2 * static_cast<double>(memory.each()) * sharers;
    o.found.peak_bytes = std::max(0.0, memory_in_use().peak - base - own) / sharers;
    o.found.digest = digest({memory.out(), result.size * size_of(j.type)});
    if (j.check)
        with_type(j.type, [&]<class T>(std::type_identity<T>) {
            check(c.data(), j, p.peers, c.tolerance(j), result.begin,
                  std::span(reinterpret_cast<const T*>(memory.out()), result.size), o.found);
        });
    return o;
}

}  // namespace papilio::perf
