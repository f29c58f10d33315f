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

/* Never above the runner's own limit, which only root may raise. */
static int limit(int resource, uint64_t value)
{
    struct rlimit bound;
    if (getrlimit(resource, &bound)) return -1;
    if (value < bound.rlim_max) bound.rlim_max = value;
    bound.rlim_cur = bound.rlim_max;
    return setrlimit(resource, &bound);
}

/* All descriptors but 0, 1 and 2 are close-on-exec. */
step become_compiler(const struct request *r)
{
    sigset_t none;
    sigemptyset(&none);
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL); /* fails for some, which have no handler */
    if (sigprocmask(SIG_SETMASK, &none, NULL)) return "unblock signals";
    if (setpgid(0, 0)) return "make a process group";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return "follow the runner's death";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return "give up privileges";
    if (chdir(r->string[CWD])) return "enter the job directory";
    umask(077);
    errno = 0;
    if (nice((int)r->number[NICE]) == -1 && errno) return "set the priority";
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_CPU, r->number[CPU])) return "limit its time";
    if (limit(RLIMIT_AS, r->number[MEMORY])) return "limit its memory";
    if (limit(RLIMIT_FSIZE, r->number[FILE_SIZE])) return "limit its files";
    if (limit(RLIMIT_NOFILE, r->number[FILES])) return "limit its descriptors";
    execve(r->string[PROGRAM], r->words->items, r->variables->items);
    return "start the compiler";
}
