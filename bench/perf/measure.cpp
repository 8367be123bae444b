#include "perf/measure.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <new>
#include <string>

namespace papilio::perf {

buffers::buffers(std::size_t each, backend& from)
    : each_((each + 4095) / 4096 * 4096), memory_(from.memory(2 * each_))
{
    if (memory_ || each_ == 0) return;
    owns_ = true;
    void* got =
        mmap(nullptr, 2 * each_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(got);
}

buffers::buffers(buffers&& from) noexcept
    : each_(std::exchange(from.each_, 0)),
      memory_(std::exchange(from.memory_, nullptr)),
      owns_(std::exchange(from.owns_, false))
{
}

buffers& buffers::operator=(buffers&& from) noexcept
{
    std::swap(each_, from.each_);
    std::swap(memory_, from.memory_);
    std::swap(owns_, from.owns_);
    return *this;
}

buffers::~buffers()
{
    if (owns_) munmap(memory_, 2 * each_);
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

/// How often threads have gone to sleep, which is how often they were woken.
double sleeps_of(int whose)
{
    rusage used{};
    getrusage(whose, &used);
    return static_cast<double>(used.ru_nvcsw);
}

/// How many calls may follow one whose data is the input, each on the result of the one before,
/// until numbers become too large: f16 holds those of eight doublings, among up to 16 peers.
std::uint32_t most_in_a_row(const job& j, int peers)
{
    constexpr int doublings = 8;
    if (j.what == collective::broadcast || (j.op != reduction::sum && j.op != reduction::prod))
        return std::max(1u, j.iterations);
    if (j.op == reduction::prod) return 1;
    const auto each = std::max(1, static_cast<int>(std::ceil(std::log2(peers))));
    return static_cast<std::uint32_t>(std::max(1, doublings / each - 1));
}

/// Runs the calls of one job. Where the data is in the output, calls follow each other as they do
/// out of place, and the result of one is the data of the next. Before numbers would become too
/// large the data is restored, and a call that does not count has all peers in step again: to copy
/// takes one peer longer than another, and processors that others measure on.
class repetition {
public:
    repetition(backend& c, bool restores, clockid_t own_time, const void* from, void* to,
               std::size_t size)
        : backend_(c), restores_(restores), own_time_(own_time), from_(from), to_(to), size_(size)
    {
    }

    void warm_up(std::uint32_t times)
    {
        is_warm_ = times > 0;
        for (std::uint32_t i = 0; i < times; ++i) call_afresh();
    }

    void run(std::uint32_t times, std::uint32_t in_a_row, outcome& o)
    {
        const auto begin = clock::now();
        o.seconds.reserve(times);
        for (std::uint32_t i = 0; i < times; ++i) {
            if (restores_ && i % in_a_row == 0) start_anew();
            const auto facts = backend_.call();
            const std::chrono::duration<double> took = clock::now() - begin - aside_;
            o.seconds.push_back(took.count());
            o.found.lost = std::max(o.found.lost, facts.lost);
            o.found.measures_wire = facts.measures_wire;
            o.found.wire_bytes = facts.wire_bytes;
        }
    }

    /// Processor time of what does not count.
    double aside_spent() const noexcept { return aside_spent_; }

    /// Leaves the result of the input in the output, to be looked at.
    void leave_result(std::uint32_t in_a_row)
    {
        if (restores_ && (is_warm_ || in_a_row > 1)) call_afresh();
    }

private:
    using clock = std::chrono::steady_clock;

    void restore()
    {
        if (restores_) std::memcpy(to_, from_, size_);
    }

    void call_afresh()
    {
        restore();
        backend_.call();
    }

    /// A call that is to be cold comes first.
    void start_anew()
    {
        const auto before = clock::now();
        const auto spent = seconds_of(own_time_);
        if (is_warm_)
            call_afresh();
        else
            restore();
        aside_ += clock::now() - before;
        aside_spent_ += seconds_of(own_time_) - spent;
    }

    backend& backend_;
    bool restores_;
    clockid_t own_time_;
    const void* from_;
    void* to_;
    std::size_t size_;
    bool is_warm_ = false;
    clock::duration aside_{};
    double aside_spent_ = 0;
};

}  // namespace

outcome measure(backend& c, const place& p, const job& j, buffers& memory, double base,
                const std::function<void()>& meet)
{
    const auto size = static_cast<std::size_t>(j.count) * size_of(j.type);
    if (memory.each() < size || memory.each() > 2 * size + 8192) {
        memory = buffers();
        memory = buffers(size, c);
    }
    const auto in = input_of(j, p.rank, p.peers);
    const auto result = output_of(j, p.rank, p.peers);
    with_type(j.type, [&]<class T>(std::type_identity<T>) {
        fill(c.data(), j, p.rank, p.peers, in.begin,
             std::span(reinterpret_cast<T*>(memory.in()), in.size));
    });
    std::memset(memory.out(), 0xff, size);  // an element that is not written is then wrong

    outcome o;
    c.prepare(j, j.in_place ? nullptr : memory.in(), memory.out());
    forget_peak();
    const auto own_time = p.shares_process ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
    repetition calls(c, j.in_place || c.in_place_only(j), own_time, memory.in(), memory.out(),
                     size);
    calls.warm_up(j.warm_up);
    meet();
    const auto in_a_row = most_in_a_row(j, p.peers);
    const auto spent = seconds_of(own_time);
    const int whose = p.shares_process ? RUSAGE_THREAD : RUSAGE_SELF;
    const auto slept = sleeps_of(whose);
    calls.run(j.iterations, in_a_row, o);
    o.found.wakes = sleeps_of(whose) - slept;
    meet();  // background threads may still send
    o.found.processor_seconds = seconds_of(own_time) - spent - calls.aside_spent();
    calls.leave_result(in_a_row);
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
