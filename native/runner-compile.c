/* From fork to exec: what every compiler is started with. */
#include "runner.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int redirect(const char *path, int flags, int target)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : dup2(fd, target);
}

step open_streams(const struct request *r)
{
    const int created = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    if (redirect("/dev/null", O_RDONLY, STDIN_FILENO) < 0) return "open /dev/null";
    if (redirect(r->string[OUT], created, STDOUT_FILENO) < 0) return "create standard output";
    if (redirect(r->string[ERR], created, STDERR_FILENO) < 0) return "create standard error";
    return NULL;
}

/* All descriptors but 0, 1 and 2 are close-on-exec. */
step become_compiler(const struct request *r)
{
    sigset_t none;
    sigemptyset(&none);
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL); /* fails for some, which have no handler */
    if (sigprocmask(SIG_SETMASK, &none, NULL)) return "unblock signals";
    /* A supervisor has done both, as far as there is a directory to be in. */
    const bool is_supervised = root_of(r) == SUPERVISED_ROOT;
    if (!is_supervised && setpgid(0, 0)) return "make a process group";
    if (chdir(is_supervised ? "/" : r->string[CWD])) return "enter the job directory";
    umask(077);
    errno = 0;
    if (nice((int)r->number[NICE]) == -1 && errno) return "set the priority";
    step failed = confine(r);
    if (failed) return failed;
    /* Not before: a change of user takes it away. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return "follow the runner's death";
    execve(r->string[PROGRAM], r->words->items, r->variables->items);
    return "start the compiler";
}
