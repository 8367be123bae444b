#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

namespace papilio::test {

/// Until it is destroyed, this process may use no more of a resource: `RLIMIT_NOFILE` 0 lets it
/// open nothing, `RLIMIT_FSIZE` keeps files from growing, as on a full disk.
class process_limit {
public:
    process_limit(__rlimit_resource of, rlim_t most) : of_(of)
    {
        if (of == RLIMIT_FSIZE) ignored_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(of, &before_);
        rlimit now = before_;
        now.rlim_cur = std::min(now.rlim_cur, most);
        ::setrlimit(of, &now);
    }
    process_limit(const process_limit&) = delete;
    process_limit& operator=(const process_limit&) = delete;
    ~process_limit()
    {
        ::setrlimit(of_, &before_);
        if (of_ == RLIMIT_FSIZE) std::signal(SIGXFSZ, ignored_);
    }

private:
    __rlimit_resource of_;
    rlimit before_{};
    void (*ignored_)(int) = SIG_DFL;
};

}  // namespace papilio::test
