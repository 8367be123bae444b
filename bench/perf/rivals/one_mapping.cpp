#include "perf/rivals/one_mapping.hpp"

#include <papilio/op/max.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/op/min.hpp>
#include <papilio/op/prod.hpp>
#include <papilio/op/sum.hpp>

#include <pthread.h>
#include <sys/mman.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>

namespace papilio::perf {

namespace {

[[noreturn]] void throw_errno(const char* what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

/// Memory that all processes of a group map. It begins with their barrier.
class shared_mapping {
public:
    /// Every peer must make one of the same size at the same time.
    shared_mapping(const place& p, std::size_t size) : size_(head + size)
    {
        const bool makes = p.rank == 0;
        int file = makes ? ::memfd_create("papilio-perf", MFD_CLOEXEC) : -1;
        if (makes && (file < 0 || ::ftruncate(file, static_cast<off_t>(size_)) != 0))
            throw_errno("cannot make shared memory");
        const auto path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file);
        const auto at = p.exchange(path).front();
        if (!makes) file = ::open(at.c_str(), O_RDWR | O_CLOEXEC);
        if (file < 0) throw_errno("cannot open shared memory");
        void* got = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (got == MAP_FAILED) throw_errno("cannot map shared memory");
        memory_ = static_cast<std::byte*>(got);
        if (makes) make_barrier(static_cast<unsigned>(p.peers));
        p.exchange({});  // all peers have opened it, and there is a barrier
        ::close(file);
    }
    shared_mapping(const shared_mapping&) = delete;
    shared_mapping& operator=(const shared_mapping&) = delete;
    ~shared_mapping() { ::munmap(memory_, size_); }

    std::byte* data() const noexcept { return memory_ + head; }
    void meet() const { ::pthread_barrier_wait(barrier()); }

private:
    static constexpr std::size_t head = 4096;

    pthread_barrier_t* barrier() const { return reinterpret_cast<pthread_barrier_t*>(memory_); }
    void make_barrier(unsigned peers) const
    {
        pthread_barrierattr_t shared;
        ::pthread_barrierattr_init(&shared);
        ::pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
        ::pthread_barrier_init(barrier(), &shared, peers);
    }

    std::size_t size_;
    std::byte* memory_;
};

/// Reduces a range of every peer's elements, in rank order.
template <class T>
void reduce(reduction op, std::span<const std::span<const T>> from, std::span<T> to)
{
    const std::vector<double> weights(from.size(), 1);
    switch (op) {
    case reduction::sum: return sum{}.reduce(from, weights, to);
    case reduction::prod: return prod{}.reduce(from, weights, to);
    case reduction::min: return min{}.reduce(from, weights, to);
    case reduction::max: return max{}.reduce(from, weights, to);
    case reduction::avg:
        if constexpr (!std::is_integral_v<T>) mean{}.reduce(from, weights, to);
    }
}

/// What both forms have in common.
class one_mapping : public backend {
public:
    explicit one_mapping(const place& p) : place_(p) {}

    bool takes(const job& j) const override
    {
        return j.what == collective::all_reduce && makes_sense(j.type, j.op);
    }

protected:
    const place& peers() const noexcept { return place_; }
    std::size_t each() const noexcept { return each_; }
    const shared_mapping& mapping() const noexcept { return *mapping_; }

    /// Every peer gets `slots` slots of at least `size` bytes, one behind the other.
    void share(std::size_t size, std::size_t slots)
    {
        if (mapping_ && size == each_) return;
        mapping_.reset();
        each_ = size;
        mapping_ = std::make_unique<shared_mapping>(place_, slots * each_);
    }

    /// The bytes of the part of `rank`.
    static stretch part_of(const job& j, int rank, int peers)
    {
        const auto size = size_of(j.type);
        const auto part = stretch_of(j.count, rank, peers, true);
        return {part.begin * size, part.size * size};
    }

    /// Reduces this peer's part of what lies `each()` bytes apart from `first` on, its own elements
    /// at `own`.
    void reduce_part(const job& j, const std::byte* first, const void* own, std::byte* to)
    {
        const auto part = stretch_of(j.count, place_.rank, place_.peers, true);
        with_type(j.type, [&]<class T>(std::type_identity<T>) {
            std::vector<std::span<const T>> from;
            for (int peer = 0; peer < place_.peers; ++peer) {
                const void* const all = first + static_cast<std::size_t>(peer) * each_;
                const auto* const at = static_cast<const T*>(peer == place_.rank ? own : all);
                from.emplace_back(at + part.begin, part.size);
            }
            reduce<T>(j.op, from, std::span(reinterpret_cast<T*>(to) + part.begin, part.size));
        });
    }

private:
    const place& place_;
    std::size_t each_ = 0;
    std::unique_ptr<shared_mapping> mapping_;
};

/// The caller's buffers are ordinary memory.
class from_ordinary final : public one_mapping {
public:
    using one_mapping::one_mapping;

    void prepare(const job& j, const void* in, void* out) override
    {
        job_ = j;
        size_ = static_cast<std::size_t>(j.count) * size_of(j.type);
        in_ = in ? in : out;
        out_ = out;
        share((size_ + 4095) / 4096 * 4096, static_cast<std::size_t>(peers().peers) + 1);
    }

    call_facts call() override
    {
        std::byte* const inputs = mapping().data();
        std::byte* const result = inputs + static_cast<std::size_t>(peers().peers) * each();
        copy_others_parts(inputs + static_cast<std::size_t>(peers().rank) * each());
        mapping().meet();
        reduce_part(job_, inputs, in_, result);
        mapping().meet();
        std::memcpy(out_, result, size_);
        return {};
    }

private:
    void copy_others_parts(std::byte* to) const
    {
        const auto own = part_of(job_, peers().rank, peers().peers);
        const auto* const from = static_cast<const std::byte*>(in_);
        const auto behind = own.begin + own.size;
        std::memcpy(to, from, own.begin);
        std::memcpy(to + behind, from + behind, size_ - behind);
    }

    job job_;
    std::size_t size_ = 0;
    const void* in_ = nullptr;
    void* out_ = nullptr;
};

/// The caller's buffers lie in the mapping.
class from_allocated final : public one_mapping {
public:
    using one_mapping::one_mapping;

    std::byte* memory(std::size_t size) override
    {
        share(size, static_cast<std::size_t>(peers().peers));
        return of(peers().rank);
    }

    void prepare(const job& j, const void* in, void* out) override
    {
        job_ = j;
        out_at_ = static_cast<std::byte*>(out) - of(peers().rank);
        in_at_ = in ? static_cast<const std::byte*>(in) - of(peers().rank) : out_at_;
    }

    call_facts call() override
    {
        mapping().meet();
        std::byte* const own = of(peers().rank);
        reduce_part(job_, mapping().data() + in_at_, own + in_at_, own + out_at_);
        mapping().meet();
        for (int step = 1; step < peers().peers; ++step) {
            const int owner = (peers().rank + step) % peers().peers;
            const auto part = part_of(job_, owner, peers().peers);
            std::memcpy(of(peers().rank) + out_at_ + part.begin, of(owner) + out_at_ + part.begin,
                        part.size);
        }
        mapping().meet();  // from now on the caller may write to its result
        return {};
    }

private:
    std::byte* of(int peer) const
    {
        return mapping().data() + static_cast<std::size_t>(peer) * each();
    }

    job job_;
    std::ptrdiff_t in_at_ = 0;
    std::ptrdiff_t out_at_ = 0;
};

}  // namespace

std::vector<std::pair<std::string, join_function>> one_mapping_systems()
{
    return {{"one-mapping",
             [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<from_ordinary>(p);
             }},
            {"one-mapping-allocated", [](const place& p) -> std::unique_ptr<backend> {
                 return std::make_unique<from_allocated>(p);
             }}};
}

}  // namespace papilio::perf
