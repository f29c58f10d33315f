/*
 * tscc, the launcher: make starts it for every compile. It hands the command to the session
 * daemon, relays what comes back and moves finished outputs into place; when told to, or when no
 * daemon can be had, it becomes the compiler. A build never breaks because of tscc.
 */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TSCC_SILENCE_MS /* only tests set it */
#define TSCC_SILENCE_MS 15000
#endif
/* Milliseconds and bytes. Twin of LAUNCHER in src/core/limits.ts, where the reasons are. */
enum limits {
    LIMIT_SILENCE = TSCC_SILENCE_MS, LIMIT_START_WAIT = 15000, LIMIT_START_PAUSE = 10000,
    LIMIT_SLOT_WAIT = 600000, LIMIT_TERMINATION = 1000, LIMIT_REQUEST_BYTES = 4194304,
    LIMIT_FRAME_BYTES = 262144, LIMIT_BACKLOG = 1024, LIMIT_NESTING = 8,
};
/* docs/protocol.md section 1. Twins: src/protocol/launcher-wire.ts, EXIT in src/core/errors.ts. */
enum { WIRE_VERSION = 4, NUMBER_BYTES = 4, FLAG_STDERR_IS_TERMINAL = 1, FLAG_ASKED_AGAIN = 2 };
enum frame_type {
    RUN = 1, PREPROCESSED = 2, COMMITTED = 5, LEAVING = 6, BEAT = 0x81, EXEC = 0x82,
    PREPROCESS = 0x83, TEMPORARY = 0x84, STDOUT = 0x85, STDERR = 0x86, DONE = 0x87, FAIL = 0x88,
};
enum field_tag {
    TAG_VERSION = 1, TAG_PID = 2, TAG_UMASK = 3, TAG_FLAGS = 4, TAG_CWD = 5, TAG_WORLD = 6,
    TAG_COMPILER = 7, TAG_WORD = 8, TAG_VARIABLE = 9, TAG_COLUMNS = 10, TAG_STARTED = 11, TAG_STATUS = 20, TAG_STDERR_BYTES = 21,
    TAG_CPU_MICROSECONDS = 22, TAG_ERRNO = 23, TAG_FAILED_TARGET = 24, TAG_WHY = 25, TAG_INTO = 30,
    TAG_TEMPORARY = 31, TAG_RENAME_FROM = 32, TAG_RENAME_TO = 33, TAG_MESSAGE = 34, TAGS,
};
enum leaving { INTERRUPTED = 1, DAEMON_SILENT = 2, CANNOT_PREPROCESS = 3 };
enum { FAILURE = 100, BAD_ARGUMENTS = 101, NO_MEMORY = 105, NO_COMPILER = 110, RECURSION = 111 };

struct command {
    const char *compiler; /* path for exec */
    char **words;         /* argv that it shall see */
    int64_t started;      /* this program could have, by now_microseconds */
    bool is_asked_again;  /* a daemon had it, and ended without a verdict */
};
struct place { char *state, *socket, *lock, *failed; }; /* the daemon's; NULL where it has none */
struct list { char **items; size_t count; };            /* `add` keeps a NULL behind the last */

/* launcher-basics.c; `tell` and `die` print a line, `say` does where TSCC_VERBOSE is set. */
#define tell(...) dprintf(STDERR_FILENO, "tscc: %s\n", text(__VA_ARGS__))
#define die(status, ...) (tell(__VA_ARGS__), exit(status))
#define is_verbose (*(variable("TSCC_VERBOSE") ?: variable("DISTCC_VERBOSE") ?: "0") != '0')
#define say(...) (is_verbose ? tell(__VA_ARGS__) : 0)
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void add(struct list *list, char *item);
const char *variable(const char *name);
const char *last_component(const char *path);
bool is_one_of(const char *word, const char *const *list);
int own(int descriptor);
int64_t now(void);
int64_t now_microseconds(void);
int64_t ready_microseconds(void);
char *installation(void);
int exec_node(char **words, char **environment);
const char *find_compiler(const char *name, bool *others_first);
int exec_compiler(const struct command *command, char **words);
void become_compiler(const struct command *command, int slot) __attribute__((noreturn));
void run_here(const struct command *command, const char *state) __attribute__((noreturn));
struct place find_place(void);
int reach_daemon(const struct place *place, bool *started);
void note_failed_start(const struct place *place);
/* How a conversation ends that leaves the compiler to us: UNHEARD, LOST: the daemon has ended. */
enum ending { DECIDED, UNHEARD, LOST };
enum ending converse(const struct command *command, int connection);
