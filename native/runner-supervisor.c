/*
 * A compiler under supervision, with two processes besides the runner's:
 *
 *   runner -- fork --> supervisor   leads the process group; its memory is a copy, and of its own
 *                        +-- fork --> compiler   becomes one under the filter that notifies
 *
 * The supervisor must be the compiler's ancestor: only that may read and write its memory where
 * Yama guards processes. When it is gone, whatever calls are not answered fail; the runner kills the
 * group, and the job has failed.
 */
#include "supervisor.h"
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
enum { SYNC_WAKE_UP = 1 };

/* Also the runner's and the compiler's, until it is one. */
static struct supervised *result;
static int hand_over[2];

void give_up(step failed, int error)
{
    result->error = error;
    result->failed = failed;
    kill(0, SIGKILL);
    _exit(1);
}

/* In the compiler: its calls wait for an answer from here on. */
step be_supervised(void)
{
    const int listener = notify_of_calls();
    if (listener < 0) return "have its system calls answered";
    if (write(hand_over[1], &listener, sizeof listener) != sizeof listener)
        return "hand its system calls over";
    return NULL;
}

static pid_t start_compiler(const struct request *r, step inside(const struct request *r))
{
    const pid_t pid = fork();
    if (pid != 0) return pid;
    step failed = open_streams(r);
    if (!failed) failed = inside(r);
    result->error = errno;
    result->failed = failed;
    _exit(failed ? 127 : 0);
}

/* -1: it has ended before. */
static int listener_of(int compiler)
{
    int number;
    close(hand_over[1]);
    if (read(hand_over[0], &number, sizeof number) != sizeof number) return -1;
    const int listener = (int)syscall(SYS_pidfd_getfd, compiler, number, 0);
    if (listener < 0) give_up("take a compiler's system calls over", errno);
    /* An answer wakes the compiler on this very processor, where that can be. */
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP);
    return listener;
}

static void serve(int compiler, int listener)
{
    struct pollfd polled[] = {{listener, POLLIN, 0}, {compiler, POLLIN, 0}};
    while (!polled[1].revents) {
        if (poll(polled, 2, -1) < 0) give_up("wait for a compiler", errno);
        if (polled[0].revents & POLLIN) answer_calls(listener);
        else if (polled[0].revents) polled[0].fd = -1;
    }
}

static void prepare(const struct request *r)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) ||
        sizes.seccomp_notif != sizeof(struct seccomp_notif) ||
        sizes.seccomp_notif_resp != sizeof(struct seccomp_notif_resp))
        give_up("have system calls answered", errno);
    const step failed = open_tree(r);
    if (failed) give_up(failed, errno);
    working_directory = r->string[CWD];
    processes_left = r->number[PROCESSES];
    umask(077);
}

static _Noreturn void supervise(const struct request *r, step inside(const struct request *r),
                                pid_t runner)
{
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != runner) _exit(1);
    /* Nothing of the runner's: its input and output are the server's. */
    if (syscall(SYS_close_range, 3, ~0U, 0)) give_up("close descriptors", errno);
    const int nothing = open("/dev/null", O_RDWR);
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 || close(nothing))
        give_up("let go of the server", errno);
    if (pipe2(hand_over, O_CLOEXEC)) give_up("make a pipe", errno);
    prepare(r);
    const pid_t pid = start_compiler(r, inside);
    const int compiler = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (compiler < 0) give_up("make a process", errno);
    const int listener = listener_of(compiler);
    if (listener >= 0) serve(compiler, listener);
    if (wait4(pid, &result->status, 0, &result->usage) < 0) give_up("see its end", errno);
    result->has_ended = true;
    _exit(0);
}

struct supervised *start_supervised(const struct request *r, step inside(const struct request *r),
                                    pid_t *supervisor)
{
    const int how = MAP_SHARED | MAP_ANONYMOUS;
    void *shared = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, how, -1, 0);
    if (shared == MAP_FAILED) return NULL;
    result = shared;
    const pid_t runner = getpid();
    *supervisor = fork();
    if (*supervisor == 0) supervise(r, inside, runner);
    /* Here as well: whoever is first, it is done before anybody kills the group. */
    if (*supervisor > 0) setpgid(*supervisor, *supervisor);
    else munmap(shared, sizeof *result);
    return *supervisor > 0 ? shared : NULL;
}

void forget_supervised(struct supervised *s)
{
    munmap(s, sizeof *s);
}
