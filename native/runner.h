/*
 * tscc-runner: starts compilers for tsccd and tells it how they ended. It speaks docs/protocol.md
 * section 3 on its standard input and output (twin: src/server/runner.ts):
 *
 *   frame   := length:u32 type:u8 field*        field := tag:u8 length:u32 bytes
 *   server  -> START | KILL | PROBE             runner -> STARTED | ENDED | FAILED
 */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

enum frame_type { START = 1, KILL = 2, PROBE = 3, STARTED = 0x81, ENDED = 0x82, FAILED = 0x83 };

/* Tags of START and PROBE; KILL has ID only. */
enum {
    ID = 1, PROGRAM, WORD, VARIABLE, CWD, OUT, ERR, CPU, MEMORY, FILE_SIZE, FILES, NICE,
    LAYER, UPPER, WORK, MOUNT, SCRATCH, SANDBOX, READABLE, PROCESSES, USER,
    TERMINAL, TAGS
};

/* Bits of SANDBOX: what bounds a compiler besides limits, and its root if it has one. */
enum { SANDBOX_LANDLOCK = 1, SANDBOX_SECCOMP = 2 };

/* Grows, is used again for each START, and ends with NULL, as exec wants it. */
struct vector {
    char **items;
    size_t count, room;
};

/* The fields of a frame by tag; strings point into it. */
struct request {
    uint64_t number[TAGS];
    char *string[TAGS];
    struct vector *words, *variables, *layers, *readable;
};

/* Where its files are its own: in namespaces, or by a supervisor's answers; else the host's. */
enum root { NO_ROOT, SEALED_ROOT, SUPERVISED_ROOT };
enum root root_of(const struct request *r);

/* Steps that may fail give NULL, or what could not be done, with errno saying why. */
typedef const char *step;

/* runner.c: says why on standard error, which tsccd logs, and takes all compilers along. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *checked(void *memory);

/* runner-frames.c */
typedef void frame_handler(uint8_t type, const struct request *r);
bool read_frames(frame_handler *handle); /* those that are there; false at the stream's end */
void send_started(uint32_t id, pid_t pid);
void send_ended(uint32_t id, int status, const struct rusage *usage);
void send_failed(uint32_t id, int error, step failed);

/* runner-compile.c: in the child */
step open_streams(const struct request *r); /* descriptors 0, 1 and 2 */
step become_compiler(const struct request *r);

/* runner-limits.c, with the others' help: for the process that calls it, and its children */
step confine(const struct request *r);
step become_user(uint64_t user);              /* runner-user.c */
step restrict_files(const struct request *r); /* runner-files.c */
step filter_system_calls(void);               /* runner-calls.c */
step imitate_terminal(void);                  /* runner-terminal.c */
step be_supervised(void);                     /* runner-supervisor.c */

/* The processes of a sealed root; init's stack must stay as long as it is there. */
struct sealed {
    pid_t compiler, init;
    _Alignas(16) char init_stack[4096];
};

/* runner-user.c: SIGKILL to every process of a user, but to nobody else's. */
void kill_user(uint64_t user);

/* runner-sealed.c: both are the runner's children. After the compiler's end init must be killed;
   when it can be reaped, nothing that ran in the root is left. */
step start_sealed(const struct request *r, step inside(const struct request *r), struct sealed *p);

/* runner-root.c: in a process with namespaces of its own */
step enter_root(const struct request *r, uid_t uid, gid_t gid);

/* runner-supervisor.c: NULL with errno set, or what to read when the supervisor has ended, which is
   the runner's child and leads the group of all that runs. What cannot be started is told there. */
struct supervised {
    step volatile failed;
    int volatile error;
    bool volatile has_ended; /* the compiler, and so: */
    int status;
    struct rusage usage;
};
struct supervised *start_supervised(const struct request *r, step inside(const struct request *r),
                                    pid_t *supervisor);
void forget_supervised(struct supervised *s);

/* runner-probe.c: tries in a compiler's place to break out */
step probe(const struct request *r);
