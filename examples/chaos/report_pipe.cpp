#include "report_pipe.hpp"

#include "process_options.hpp"

#include <trainer/problem.hpp>

#include <unistd.h>

#include <cerrno>
#include <mutex>

namespace papilio::example::chaos {

void tell_parent(const child_report& r)
{
    static std::mutex one_at_a_time;
    const std::string text = encode(r);
    const std::lock_guard lock(one_at_a_time);
    for (std::size_t done = 0; done < text.size();) {
        const auto put = ::write(report_descriptor, text.data() + done, text.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw_system_problem(errno, "cannot tell the process that started this one");
        done += static_cast<std::size_t>(put);
    }
}

}  // namespace papilio::example::chaos
