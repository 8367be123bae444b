#include "report_pipe.hpp"

#include "process_options.hpp"

#include <trainer/file.hpp>
#include <trainer/problem.hpp>

#include <cerrno>
#include <mutex>

namespace papilio::example::chaos {

void tell_parent(const child_report& r)
{
    static std::mutex one_at_a_time;
    const std::string text = encode(r);
    const std::lock_guard lock(one_at_a_time);
    if (write_to(report_descriptor, text) < text.size())
        throw_system_problem(errno, "cannot tell the process that started this one");
}

}  // namespace papilio::example::chaos
