/*
 * A compiler in a sealed root, with three processes and no copy of memory (a fork costs more than
 * all namespaces together):
 *
 *   runner -- vfork --> builder   in new namespaces: makes the root, starts the others, exits
 *                         +--> init       first in the root's pid namespace; all there dies with it
 *                         +--> compiler   the runner's child: status and resources are its own
 *
 * The compiler is not init itself, since the first process of a pid namespace gets no signal that
 * it does not catch, not even abort's. Init only waits for the runner's end. It shares the
 * runner's memory, but keeps its capabilities in the user namespace, and who has less of them, as
 * the compiler has, may neither trace a process nor look into it.
 */
#include "runner.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { LIFELINE = 3 }; /* the descriptor in init */

struct start {
    const struct request *request;
    step (*inside)(const struct request *r);
    struct sealed *processes;
    pid_t runner;
    uid_t uid;
    gid_t gid;
    int lifeline;
    /* The processes run in turns, in one memory. */
    step volatile failed;
    int volatile error;
};

static _Alignas(16) char builder_stack[65536], compiler_stack[65536];

/* Of this memory only its own stack is init's to write; not even errno is. */
static int be_init(void *unused)
{
    char byte;
    (void)unused;
    while (read(LIFELINE, &byte, 1) > 0) continue;
    return 0;
}

static int be_compiler(void *argument)
{
    struct start *s = argument;
    s->failed = NULL; /* as it stays when exec succeeds */
    s->failed = s->inside(s->request);
    s->error = errno;
    return s->failed ? 127 : 0;
}

static step start_inside(struct start *s)
{
    struct sealed *p = s->processes;
    const int child = CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD;
    /* Nothing of the runner's stays open in init but the way to notice its end. */
    if (dup3(s->lifeline, LIFELINE, O_CLOEXEC) < 0) return "keep the lifeline";
    if (syscall(SYS_close_range, LIFELINE + 1, ~0U, 0)) return "close descriptors";
    if (unshare(CLONE_NEWPID)) return "make a pid namespace";
    signal(SIGCHLD, SIG_IGN); /* orphans come to init, which shall not have to reap them */
    if (clone(be_init, p->init_stack + sizeof p->init_stack, child, NULL, &p->init) < 0)
        return "make the root's init";
    char *stack = compiler_stack + sizeof compiler_stack;
    if (clone(be_compiler, stack, child | CLONE_VFORK, s, &p->compiler) < 0)
        return "make a process";
    errno = s->error;
    return s->failed;
}

static int be_builder(void *argument)
{
    struct start *s = argument;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != s->runner) return 1;
    step failed = open_streams(s->request);
    if (!failed) failed = enter_root(s->request, s->uid, s->gid);
    if (!failed) failed = start_inside(s);
    s->error = errno;
    s->failed = failed;
    return 0;
}

step start_sealed(const struct request *r, step inside(const struct request *r), struct sealed *p)
{
    /* Init reads from it until the last writing end, the runner's, is closed. */
    static int lifeline[2];
    if (!lifeline[1] && pipe2(lifeline, O_CLOEXEC)) return "make the lifeline";
    const int spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    struct start s = {
        .request = r, .inside = inside, .processes = p, .runner = getpid(),
        .uid = geteuid(), .gid = getegid(), .lifeline = lifeline[0],
        .failed = "make a root", .error = ECHILD, /* unless the builder gets to say more */
    };
    char *stack = builder_stack + sizeof builder_stack;
    pid_t builder = clone(be_builder, stack, spaces | CLONE_VM | CLONE_VFORK | SIGCHLD, &s);
    if (builder < 0) return "make namespaces";
    waitpid(builder, NULL, 0);
    if (!s.failed) return NULL;
    /* The compiler first: as long as it is not reaped, init cannot end. */
    if (p->init) kill(p->init, SIGKILL);
    if (p->compiler) waitpid(p->compiler, NULL, 0);
    if (p->init) waitpid(p->init, NULL, 0);
    errno = s.error;
    return s.failed;
}
