// What is on the disk when a writer of checkpoints ends in its midst. A parent steps through the
// system calls of a child that saves one.

#include <trainer/checkpoint.hpp>

#include "support.hpp"

#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace papilio::example;
namespace fs = std::filesystem;

namespace {

/// As a process does that begins, saves once, and ends.
void save_once(const fs::path& folder, const std::string& content)
{
    checkpoint_folder kept(folder);
    checkpoint_writer writer(kept);
    writer.add("a.txt", content);
    writer.commit(1);
}

/// A child that saves a checkpoint, and stops before and after each of its system calls.
class traced_save {
public:
    traced_save(const fs::path& folder, const std::string& content)
    {
        child_ = ::fork();
        if (child_ == 0) {
            if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
            ::raise(SIGSTOP);
            save_once(folder, content);
            ::_exit(0);
        }
        wait();
        if (stopped())
            ::ptrace(PTRACE_SETOPTIONS, child_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    }
    ~traced_save()
    {
        if (!stopped()) return;
        ::kill(child_, SIGKILL);
        wait();
    }
    traced_save(const traced_save&) = delete;
    traced_save& operator=(const traced_save&) = delete;

    bool stopped() const { return WIFSTOPPED(status_); }
    bool refused() const { return WIFEXITED(status_) && WEXITSTATUS(status_) != 0; }

    /// Runs on to where the next system call begins or ends; its number, or -1 where it ends.
    long step()
    {
        ::ptrace(PTRACE_SYSCALL, child_, nullptr, nullptr);
        wait();
        if (!stopped()) return -1;
        __ptrace_syscall_info info{};
        ::ptrace(PTRACE_GET_SYSCALL_INFO, child_, sizeof info, &info);
        const bool begins = info.op == PTRACE_SYSCALL_INFO_ENTRY;
        return begins ? static_cast<long>(info.entry.nr) : -1;
    }

private:
    void wait() { ::waitpid(child_, &status_, 0); }

    pid_t child_ = 0;
    int status_ = 0;
};

bool renames(long call)
{
#ifdef SYS_rename
    if (call == SYS_rename) return true;
#endif
    return call == SYS_renameat || call == SYS_renameat2;
}

}  // namespace

TEST_CASE("wherever a writer of checkpoints is killed, the old or the new one is in force",
          "[trainer]")
{
    int old_ones = 0, new_ones = 0;
    bool ended = false;
    for (int steps = 0; !ended; ++steps) {
        const scratch_folder folder;
        save_once(folder.path(), "old");
        {
            traced_save child(folder.path(), "new");
            if (child.refused()) {
                WARN("processes cannot be traced here");
                return;
            }
            for (int i = 0; i < steps && child.stopped(); ++i) child.step();
            ended = !child.stopped();
        }
        const auto found = checkpoint_reader(folder.path()).text("a.txt");
        REQUIRE((found == "old" || found == "new"));
        ++(found == "old" ? old_ones : new_ones);
        save_once(folder.path(), "next");
        REQUIRE(checkpoint_reader(folder.path()).text("a.txt") == "next");
    }
    CHECK(old_ones > 20);
    CHECK(new_ones > 2);
}

TEST_CASE(
    "the files of a checkpoint are on the disk before it is in force, and that is before the old "
    "one goes",
    "[trainer]")
{
    const scratch_folder folder;
    save_once(folder.path(), "old");
    traced_save child(folder.path(), "new");
    if (child.refused()) {
        WARN("processes cannot be traced here");
        return;
    }
    std::vector<int> synced{0};  // before the first rename, before the second, after it
    while (child.stopped()) {
        const long call = child.step();
        if (call == SYS_fsync && fs::exists(folder.path() / "checkpoint-000001")) ++synced.back();
        if (renames(call)) synced.push_back(0);
    }
    REQUIRE(synced.size() == 3);
    CHECK(synced[0] == 3);  // the file, the manifest and their folder
    CHECK(synced[1] == 1);  // the name of the new one
    CHECK(synced[2] == 1);  // the link to it
}
