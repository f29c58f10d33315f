/*
 * tscc-runner, one per server, so that Node never forks and all that must happen between fork and
 * exec is in one small single-threaded place (runner.h has what it speaks).
 *
 * Each compiler leads a process group of its own, which is killed as a whole: on KILL, when its
 * leader has ended, and when standard input ends, which means that the server is gone. In a sealed
 * root the leader is the root's init, with which all dies. Signals from terminals and service
 * managers are ignored for the same reason: the server decides.
 */
#include "runner.h"
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static struct compile {
    struct compile *next;
    uint32_t id;
    pid_t pid; /* also its process group; 0 when it has ended and only init is left */
    struct sealed *sealed;         /* NULL without namespaces of its own */
    struct supervised *supervised; /* NULL without a supervisor, whose pid it is then */
    uint64_t user;         /* 0 without one of its own */
    int status;
    struct rusage usage;
} *compiles;

static void kill_compile(const struct compile *c)
{
    kill(c->sealed ? c->sealed->init : -c->pid, SIGKILL);
    /* Whoever has left the group has not left the user. */
    if (c->user) kill_user(c->user);
}

static void kill_all(void)
{
    struct compile *c = compiles;
    compiles = NULL; /* once, also when one cannot be killed */
    for (; c; c = c->next) kill_compile(c);
}

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tscc-runner: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    kill_all();
    exit(1);
}

void *checked(void *memory)
{
    if (!memory) die("out of memory");
    return memory;
}

/* ---- starts ---- */

static struct compile *add_compile(const struct request *r, pid_t pid)
{
    struct compile *c = checked(malloc(sizeof *c));
    *c = (struct compile){
        .next = compiles, .id = (uint32_t)r->number[ID], .pid = pid, .user = r->number[USER],
    };
    compiles = c;
    send_started(c->id, pid);
    return c;
}

static void start_plain(const struct request *r, step inside(const struct request *r))
{
    const uint32_t id = (uint32_t)r->number[ID];
    /* With vfork the child borrows this memory until it execs or exits, so it can tell by a
       variable where it failed, and its start costs no copy of page tables. */
    static step volatile failed;
    static int volatile error;
    failed = NULL;
    pid_t pid = vfork();
    if (pid == 0) {
        failed = open_streams(r);
        if (!failed) failed = inside(r);
        error = errno;
        _exit(failed ? 127 : 0);
    }
    if (pid < 0) return send_failed(id, errno, "make a process");
    if (!failed) {
        add_compile(r, pid);
        return;
    }
    waitpid(pid, NULL, 0);
    send_failed(id, error, failed);
}

static void start_in_root(const struct request *r, step inside(const struct request *r))
{
    const uint32_t id = (uint32_t)r->number[ID];
    struct sealed *sealed = checked(calloc(1, sizeof *sealed));
    step failed = start_sealed(r, inside, sealed);
    if (!failed) {
        add_compile(r, sealed->compiler)->sealed = sealed;
        return;
    }
    send_failed(id, errno, failed);
    free(sealed);
}

static void start_with_supervisor(const struct request *r, step inside(const struct request *r))
{
    pid_t supervisor;
    struct supervised *supervised = start_supervised(r, inside, &supervisor);
    if (supervised) add_compile(r, supervisor)->supervised = supervised;
    else send_failed((uint32_t)r->number[ID], errno, "make a process");
}

enum root root_of(const struct request *r)
{
    return !r->string[UPPER] ? NO_ROOT : r->string[MOUNT] ? SEALED_ROOT : SUPERVISED_ROOT;
}

static void start(uint8_t type, const struct request *r)
{
    char *const *string = r->string;
    const bool has_root = r->layers->count && string[UPPER] && !string[WORK] == !string[MOUNT];
    const bool no_root = !r->layers->count && !string[UPPER] && !string[WORK] && !string[MOUNT];
    const bool has_program = type == PROBE || (string[PROGRAM] && r->words->count);
    if (!string[OUT] || !string[ERR] || !string[CWD] || !has_program || !(has_root || no_root))
        die("malformed frame: START lacks a field");
    if (r->number[USER] && has_root) die("malformed frame: START has a root and a user");
    void (*const starts[])(const struct request *, step (const struct request *)) = {
        [NO_ROOT] = start_plain,
        [SEALED_ROOT] = start_in_root,
        [SUPERVISED_ROOT] = start_with_supervisor,
    };
    starts[root_of(r)](r, type == PROBE ? probe : become_compiler);
}

/* ---- ends ---- */

static struct compile **find(pid_t pid)
{
    struct compile **at = &compiles;
    while (*at && (*at)->pid != pid && (!(*at)->sealed || (*at)->sealed->init != pid))
        at = &(*at)->next;
    return at;
}

static void send_end(const struct compile *c)
{
    const struct supervised *s = c->supervised;
    if (!s) return send_ended(c->id, c->status, &c->usage);
    if (s->failed) return send_failed(c->id, s->error, s->failed);
    if (s->has_ended) return send_ended(c->id, s->status, &s->usage);
    /* With the group it leads; of itself it never ends before the compiler. */
    const bool is_killed = WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGKILL;
    if (is_killed) return send_ended(c->id, c->status, &c->usage);
    send_failed(c->id, ECHILD, "supervise the compiler");
}

static void remove_compile(struct compile **at)
{
    struct compile *c = *at;
    *at = c->next;
    if (c->supervised) forget_supervised(c->supervised);
    free(c->sealed);
    free(c);
}

static void reap(void)
{
    /* Looked at before it is reaped: as long as the leader is there its group number is its own. */
    const int how = WEXITED | WNOHANG | WNOWAIT;
    siginfo_t ended;
    while (ended.si_pid = 0, waitid(P_ALL, 0, &ended, how) == 0 && ended.si_pid) {
        struct compile **at = find(ended.si_pid), *c = *at;
        const bool is_compiler = c && c->pid == ended.si_pid;
        struct rusage usage;
        int status;
        if (is_compiler) kill_compile(c);
        if (wait4(ended.si_pid, &status, 0, &usage) < 0) die("wait4: %s", strerror(errno));
        if (!c) continue; /* an orphan of some compiler, or what did not get to be one */
        if (is_compiler) {
            c->pid = 0;
            c->status = status;
            c->usage = usage;
            if (c->sealed) continue; /* init is to follow, and all else in the root before it */
        }
        send_end(c);
        remove_compile(at);
    }
}

/* ---- the loop ---- */

static void handle_frame(uint8_t type, const struct request *r)
{
    if (type == START || type == PROBE) return start(type, r);
    if (type != KILL) die("malformed frame: unknown type %d", type);
    for (struct compile *c = compiles; c; c = c->next)
        if (c->id == r->number[ID]) kill_compile(c);
}

int main(void)
{
    /* Whatever tsccd was started with must not reach a compiler. */
    for (long fd = 3, end = sysconf(_SC_OPEN_MAX); fd < end && fd < 65536; fd++) close((int)fd);
    const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &child, NULL)) die("sigprocmask: %s", strerror(errno));
    int ends = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ends < 0) die("signalfd: %s", strerror(errno));
    /* Orphans of compilers become ours, so that nothing is left as a zombie of init. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1)) die("prctl: %s", strerror(errno));

    struct pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {ends, POLLIN, 0}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR) die("poll: %s", strerror(errno));
        if (polled[1].revents) {
            struct signalfd_siginfo drained;
            while (read(ends, &drained, sizeof drained) > 0) continue;
            reap();
        }
        if (polled[0].revents && !read_frames(handle_frame)) break;
    }
    kill_all();
    return 0;
}
