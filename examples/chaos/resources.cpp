#include "resources.hpp"

#include "process_options.hpp"

#include <papilio/base/units.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

namespace papilio::example::chaos {

namespace {

std::string process_folder(pid_t pid)
{
    return "/proc/" + std::to_string(pid);
}

/// 0: it has ended.
int open_descriptors(pid_t pid)
{
    int count = 0;
    std::error_code gone;
    namespace fs = std::filesystem;
    for (fs::directory_iterator entry(process_folder(pid) + "/fd", gone), end;
         !gone && entry != end; entry.increment(gone))
        ++count;
    return count;
}

/// Sets what a process may have, below what it may have at most. Not for one that has ended.
void limit(pid_t pid, __rlimit_resource what, rlim_t most)
{
    rlimit now{};
    if (::prlimit(pid, what, nullptr, &now) != 0) return;
    now.rlim_cur = std::min(most, now.rlim_max);
    ::prlimit(pid, what, &now, nullptr);
}

/// Sets it to what this process may have, as when that one was started.
void limit_as_here(pid_t pid, __rlimit_resource what)
{
    rlimit here{};
    ::getrlimit(what, &here);
    limit(pid, what, here.rlim_cur);
}

}  // namespace

std::optional<resources> resources_of(pid_t pid)
{
    resources r;
    r.descriptors = open_descriptors(pid);
    std::ifstream status(process_folder(pid) + "/status");
    std::string word;
    while (status >> word) {
        if (word == "Threads:") status >> r.threads;
        if (word == "VmRSS:") {
            status >> r.memory;
            r.memory *= 1024;
        }
    }
    if (r.descriptors == 0 || r.threads == 0) return {};
    return r;
}

double waited_for_processor(pid_t pid)
{
    double longest = 0;
    std::error_code gone;
    namespace fs = std::filesystem;
    for (fs::directory_iterator thread(process_folder(pid) + "/task", gone), end;
         !gone && thread != end; thread.increment(gone)) {
        std::ifstream from(thread->path() / "schedstat");
        double ran = 0, waited = 0;  // nanoseconds
        if (from >> ran >> waited) longest = std::max(longest, waited * 1e-9);
    }
    return longest;
}

resources resource_trend::median_of(std::size_t begin) const
{
    const auto median = [&](auto resources::*figure) {
        std::vector<std::uint64_t> values;
        for (std::size_t i = begin; i < begin + samples_.size() / 2; ++i)
            values.push_back(static_cast<std::uint64_t>(samples_[i].*figure));
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::ranges::nth_element(values, middle);
        return *middle;
    };
    return {static_cast<int>(median(&resources::descriptors)),
            static_cast<int>(median(&resources::threads)), median(&resources::memory)};
}

int resource_trend::most_at_first(int resources::*figure) const
{
    const auto half = std::span(samples_).first(samples_.size() / 2);
    return std::ranges::max(half, {}, figure).*figure;
}

std::string resource_trend::growth() const
{
    if (!may_judge()) return {};
    const auto a = first(), b = last();
    const int descriptors = most_at_first(&resources::descriptors);
    const int threads = most_at_first(&resources::threads);
    std::string grew;
    if (b.descriptors > descriptors + 4)
        grew += fmt::format(", descriptors from {} to {}", descriptors, b.descriptors);
    if (b.threads > threads) grew += fmt::format(", threads from {} to {}", threads, b.threads);
    if (b.memory > a.memory + a.memory / 10 + (std::uint64_t{16} << 20))
        grew += fmt::format(", memory from {} to {}", human_bytes(a.memory), human_bytes(b.memory));
    return grew.empty() ? grew : grew.substr(2);
}

/// A new descriptor's number must be below the limit, and a process of the run never closes the
/// first ones. What it has open beyond them goes on.
void forbid_descriptors(pid_t pid)
{
    limit(pid, RLIMIT_NOFILE, report_descriptor + 1);
}

void allow_descriptors(pid_t pid)
{
    limit_as_here(pid, RLIMIT_NOFILE);
}

void fill_disk(pid_t pid)
{
    limit(pid, RLIMIT_FSIZE, 0);
}

void free_disk(pid_t pid)
{
    limit_as_here(pid, RLIMIT_FSIZE);
}

}  // namespace papilio::example::chaos
