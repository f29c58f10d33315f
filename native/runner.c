/*
 * tscc-runner: starts compilers for tsccd and tells it how they ended.
 *
 * One per server, so that Node never forks and all that must happen between fork and exec is in
 * one small single-threaded place. It speaks docs/protocol.md section 3 on its standard input and
 * output (twin: src/server/runner.ts):
 *
 *   frame   := length:u32 type:u8 field*        field := tag:u8 length:u32 bytes
 *   server  -> START | KILL                     runner -> STARTED | ENDED | FAILED
 *
 * Each compiler leads a process group of its own, which is killed as a whole: on KILL, when its
 * leader has ended, and when standard input ends, which means that the server is gone. Signals
 * from terminals and service managers are ignored for the same reason: the server decides.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START = 0x01, KILL = 0x02, STARTED = 0x81, ENDED = 0x82, FAILED = 0x83 };
enum { FIELD_HEADER = 5, MAX_FRAME = 4 << 20 }; /* SERVER.runnerFrameBytes in core/limits.ts */

static struct compile {
    struct compile *next;
    uint32_t id;
    pid_t pid; /* also its process group */
} *compiles;

static void kill_all(void)
{
    for (struct compile *c = compiles; c; c = c->next) kill(-c->pid, SIGKILL);
}

/* Says why on standard error, which tsccd logs, and takes all compilers along. */
static void die(const char *format, ...)
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

static void *checked(void *memory)
{
    if (!memory) die("out of memory");
    return memory;
}

/* ---- frames to the server ---- */

struct answer {
    size_t used;
    unsigned char bytes[256];
};

static void put_field(struct answer *a, uint8_t tag, const void *bytes, uint32_t length)
{
    uint32_t le = htole32(length);
    a->bytes[a->used] = tag;
    memcpy(a->bytes + a->used + 1, &le, sizeof le);
    memcpy(a->bytes + a->used + FIELD_HEADER, bytes, length);
    a->used += FIELD_HEADER + length;
}

static void put_number(struct answer *a, uint8_t tag, uint64_t value, uint32_t size)
{
    value = htole64(value);
    put_field(a, tag, &value, size);
}

static struct answer begin(uint8_t type, uint32_t id)
{
    struct answer a = {.used = 5};
    a.bytes[4] = type;
    put_number(&a, 1, id, 4);
    return a;
}

static void send_answer(struct answer *a)
{
    uint32_t length = htole32((uint32_t)a->used - 4);
    memcpy(a->bytes, &length, sizeof length);
    for (size_t at = 0; at < a->used;) {
        ssize_t n = write(STDOUT_FILENO, a->bytes + at, a->used - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die("cannot write to the server: %s", strerror(errno));
        at += (size_t)n;
    }
}

static void send_failed(uint32_t id, int error, const char *what)
{
    struct answer a = begin(FAILED, id);
    put_number(&a, 7, (uint32_t)error, 4);
    put_field(&a, 8, what, (uint32_t)strlen(what));
    send_answer(&a);
}

/* ---- START ---- */

/* Grows, is used again for each START, and ends with NULL, as exec wants it. */
struct vector {
    char **items;
    size_t count, room;
};

/* Tags of START; KILL has ID only. */
enum { ID = 1, PROGRAM, WORD, VARIABLE, CWD, OUT, ERR, CPU, MEMORY, FILE_SIZE, FILES, NICE, TAGS };

/* The fields of a frame by tag; strings point into it. */
struct request {
    uint64_t number[TAGS];
    char *string[TAGS];
    struct vector *words, *variables;
};

static void push(struct vector *v, char *item)
{
    if (v->count + 2 > v->room) {
        v->room = 2 * v->room + 64;
        v->items = checked(realloc(v->items, v->room * sizeof *v->items));
    }
    if (item) v->items[v->count++] = item;
    v->items[v->count] = NULL;
}

/* A field's bytes as a string, moved over the field's own header to make room for the NUL. */
static char *take_string(unsigned char *field, uint32_t length)
{
    if (memchr(field + FIELD_HEADER, 0, length)) die("malformed frame: a NUL inside a string");
    memmove(field, field + FIELD_HEADER, length);
    field[length] = 0;
    return (char *)field;
}

static uint64_t take_number(const unsigned char *bytes, uint32_t length)
{
    uint64_t value = 0;
    if (length != 4 && length != 8) die("malformed frame: a number of %u bytes", length);
    memcpy(&value, bytes, length);
    return le64toh(value);
}

static struct request parse_fields(unsigned char *body, size_t size)
{
    static struct vector words, variables;
    struct request r = {.words = &words, .variables = &variables};
    words.count = variables.count = 0;
    push(&words, NULL);
    push(&variables, NULL);
    for (size_t at = 0; at < size;) {
        unsigned char *field = body + at, tag = field[0];
        if (size - at < FIELD_HEADER) die("malformed frame: a field header is cut short");
        uint32_t length = (uint32_t)take_number(field + 1, 4);
        if (length > size - at - FIELD_HEADER) die("malformed frame: a field runs past it");
        if (tag == WORD) push(&words, take_string(field, length));
        else if (tag == VARIABLE) push(&variables, take_string(field, length));
        else if (tag == PROGRAM || (tag >= CWD && tag <= ERR))
            r.string[tag] = take_string(field, length);
        else if (tag < TAGS) r.number[tag] = take_number(field + FIELD_HEADER, length);
        at += FIELD_HEADER + length;
    }
    return r;
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

static int redirect(const char *path, int flags, int target)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : dup2(fd, target);
}

/* In the child; returns the step that failed. All other descriptors are close-on-exec. */
static const char *become_compiler(const struct request *r)
{
    const int created = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    sigset_t none;
    sigemptyset(&none);
    for (int n = 1; n < NSIG; n++) signal(n, SIG_DFL); /* fails for some, which have no handler */
    if (sigprocmask(SIG_SETMASK, &none, NULL)) return "unblock signals";
    if (setpgid(0, 0)) return "make a process group";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return "follow the runner's death";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return "give up privileges";
    if (chdir(r->string[CWD])) return "enter the job directory";
    if (redirect("/dev/null", O_RDONLY, STDIN_FILENO) < 0) return "open /dev/null";
    if (redirect(r->string[OUT], created, STDOUT_FILENO) < 0) return "create standard output";
    if (redirect(r->string[ERR], created, STDERR_FILENO) < 0) return "create standard error";
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

static void start_compile(const struct request *r)
{
    const uint32_t id = (uint32_t)r->number[ID];
    char *const *needed = r->string;
    if (!needed[PROGRAM] || !r->words->count || !needed[CWD] || !needed[OUT] || !needed[ERR])
        die("malformed frame: START lacks a field");
    /* With vfork the child borrows this memory until it execs or exits, so it can tell by a
       variable where it failed, and its start costs no copy of page tables. */
    static const char *volatile failed_step;
    static volatile int failed_errno;
    failed_step = NULL;
    pid_t pid = vfork();
    if (pid == 0) {
        failed_step = become_compiler(r);
        failed_errno = errno;
        _exit(127);
    }
    if (pid < 0) return send_failed(id, errno, "make a process");
    if (failed_step) {
        waitpid(pid, NULL, 0);
        return send_failed(id, failed_errno, failed_step);
    }
    struct compile *c = checked(malloc(sizeof *c));
    *c = (struct compile){.next = compiles, .id = id, .pid = pid};
    compiles = c;
    struct answer a = begin(STARTED, id);
    put_number(&a, 2, (uint32_t)pid, 4);
    send_answer(&a);
}

/* ---- ends of processes ---- */

static uint64_t microseconds(const struct rusage *usage)
{
    struct timeval total;
    timeradd(&usage->ru_utime, &usage->ru_stime, &total);
    return (uint64_t)total.tv_sec * 1000000 + (uint64_t)total.tv_usec;
}

static void reap(void)
{
    /* Looked at before it is reaped: as long as the leader is there its group number is its own. */
    const int how = WEXITED | WNOHANG | WNOWAIT;
    siginfo_t ended;
    while (ended.si_pid = 0, waitid(P_ALL, 0, &ended, how) == 0 && ended.si_pid) {
        struct compile **at = &compiles, *c;
        while ((c = *at) && c->pid != ended.si_pid) at = &c->next;
        if (c) kill(-c->pid, SIGKILL);
        struct rusage usage;
        int status;
        if (wait4(ended.si_pid, &status, 0, &usage) < 0) die("wait4: %s", strerror(errno));
        if (!c) continue; /* an orphan of some compiler */
        uint32_t signal = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
        struct answer a = begin(ENDED, c->id);
        put_number(&a, 3, signal ? 128 + signal : (uint32_t)WEXITSTATUS(status), 4);
        put_number(&a, 4, signal, 4);
        put_number(&a, 5, microseconds(&usage), 8);
        put_number(&a, 6, (uint32_t)usage.ru_maxrss, 4);
        send_answer(&a);
        *at = c->next;
        free(c);
    }
}

/* ---- frames from the server ---- */

static void handle_frame(uint8_t type, unsigned char *body, size_t size)
{
    struct request r = parse_fields(body, size);
    if (type == START) return start_compile(&r);
    if (type != KILL) die("malformed frame: unknown type %d", type);
    for (struct compile *c = compiles; c; c = c->next)
        if (c->id == r.number[ID]) kill(-c->pid, SIGKILL);
}

/* Reads what is there and handles each whole frame; false at the end of the stream. */
static int read_frames(void)
{
    static unsigned char *buffer;
    static size_t size, used;
    if (size - used < 65536) buffer = checked(realloc(buffer, size = used + 131072));
    ssize_t n = read(STDIN_FILENO, buffer + used, size - used);
    if (n < 0 && errno != EINTR && errno != EAGAIN) die("read: %s", strerror(errno));
    if (n <= 0) return n != 0;
    used += (size_t)n;
    size_t at = 0;
    while (used - at >= 4) {
        uint32_t length = (uint32_t)take_number(buffer + at, 4);
        if (length < 1 || length > MAX_FRAME) die("malformed frame: %u bytes", length);
        if (used - at - 4 < length) break;
        handle_frame(buffer[at + 4], buffer + at + 5, length - 1);
        at += 4 + (size_t)length;
    }
    memmove(buffer, buffer + at, used -= at);
    return 1;
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
        if (polled[0].revents && !read_frames()) break;
    }
    kill_all();
    return 0;
}
