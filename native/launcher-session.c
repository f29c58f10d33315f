/* The conversation with the session daemon about one command, up to its verdict. */
#include "launcher.h"
#include <endian.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Global, because a signal may end the conversation. */
static int connection = -1;
static pid_t preprocessor;   /* leads a process group; 0: none runs */
static int diagnostics = -1; /* its standard error, which ends when all of the group have */
static uint32_t printed;      /* bytes of it */
static struct list pending;  /* temporaries: removed unless DONE renames them */
static sigset_t mask_before, held; /* while a frame is obeyed, deadly signals are held off */

/* Variables that change what compilers or tscc do; `*` stands for any end of a name. */
static const char *const variables[] = {
    "TSCC_*", "DISTCC_*", "LC_*", "_TSCC_GUARD", "PATH", "PWD", "HOME", "TMPDIR", "LANG", "TZ",
    "LANGUAGE", "SOURCE_DATE_EPOCH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "TERM",
    "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
    "GCC_*", "CC_PRINT_*", "CC_LOG_*", "CCC_*", "COMPILER_PATH", "LIBRARY_PATH", "TERM_URLS",
    "LLVM_OVERRIDE_PRODUCER", "COLUMNS", "CXX_MODULE_MAPPER", "XDG_CONFIG_HOME", "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR", "MAKELEVEL", "MAKEFLAGS", "POSIXLY_CORRECT", "COLORTERM", "NO_COLOR",
    "TERMINFO", "TERMINFO_DIRS", NULL,
};

/* Frames, with little-endian numbers, are made and read here. One filling `out` is too large. */
static uint8_t out[4 + LIMIT_REQUEST_BYTES + 1], in[4 + LIMIT_FRAME_BYTES];
static size_t out_size = 5, in_size;

static void put_bytes(const void *bytes, size_t size) {
    size_t room = sizeof out - out_size;
    memcpy(out + out_size, bytes, size < room ? size : room);
    out_size += size < room ? size : room;
}

static void put_field(int tag, const void *bytes, size_t size) {
    put_bytes(&(uint8_t){tag}, 1);
    put_bytes(&(uint32_t){htole32(size)}, 4);
    put_bytes(bytes, size);
}
static void put_text(int tag, const char *text) { put_field(tag, text, strlen(text)); }
static void put_number(int tag, uint32_t n) { put_field(tag, &(uint32_t){htole32(n)}, 4); }

/* Sends what has been put. False, with errno: it is too large, not read, or nobody is there. */
static bool send_frame(enum frame_type type) {
    size_t size = out_size;
    memcpy(out, &(uint32_t){htole32(size - 4)}, 4);
    out[4] = type;
    out_size = 5;
    errno = EMSGSIZE;
    return size < sizeof out && send(connection, out, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* For signal handlers too: neither waits nor touches a frame in the making. */
static void send_leaving(enum leaving why) {
    const uint8_t frame[] = {10, 0, 0, 0, LEAVING, TAG_WHY, 4, 0, 0, 0, why, 0, 0, 0};
    send(connection, frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_wanted(const char *assignment) {
    for (const char *const *name = variables; *name; name++) {
        size_t size = strcspn(*name, "*");
        bool fits = (*name)[size] == '*' || assignment[size] == '=';
        if (fits && strncmp(*name, assignment, size) == 0) return true;
    }
    return false;
}

static bool send_request(const struct command *command) {
    char *cwd = getcwd(NULL, 0), space[64] = {0};
    struct stat root;
    struct winsize size = {0};
    if (!cwd || stat("/", &root) < 0) return false;
    if (readlink("/proc/self/ns/mnt", space, sizeof space - 1) < 0) space[0] = '-';
    mode_t mask = umask(0);
    umask(mask);
    put_number(TAG_VERSION, WIRE_VERSION);
    put_number(TAG_PID, getpid());
    put_number(TAG_UMASK, mask);
    put_number(TAG_FLAGS, (isatty(STDERR_FILENO) ? FLAG_STDERR_IS_TERMINAL : 0) |
                              (command->is_asked_again ? FLAG_ASKED_AGAIN : 0));
    ioctl(STDIN_FILENO, TIOCGWINSZ, &size); /* GCC asks there; no terminal leaves 0 */
    put_number(TAG_COLUMNS, size.ws_col);
    put_number(TAG_STARTED, (uint32_t)command->started | 1); /* 0 would mean: not told */
    put_text(TAG_CWD, cwd);
    put_text(TAG_WORLD, text("%s %ju %ju", space, (uintmax_t)root.st_dev, (uintmax_t)root.st_ino));
    const char *path = command->compiler;
    put_text(TAG_COMPILER, *path == '/' ? path : text("%s/%s", cwd, path));
    for (char **word = command->words; *word; word++) put_text(TAG_WORD, *word);
    for (char **entry = environ; *entry; entry++) {
        if (is_wanted(*entry)) put_text(TAG_VARIABLE, *entry);
    }
    return send_frame(RUN);
}

static uint32_t number_at(const void *bytes) {
    const uint8_t *b = bytes;
    return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

/* False, with errno: the daemon is silent, gone (EPIPE), or the frame malformed (EPROTO). */
static bool receive_frame(void) {
    errno = EPIPE; /* for an end, which recv does not count as an error */
    if (recv(connection, in, 4, MSG_WAITALL) != 4) return false;
    in_size = 4 + (size_t)number_at(in);
    if (in_size < 5 || in_size > sizeof in) return errno = EPROTO, false;
    return recv(connection, in + 4, in_size - 4, MSG_WAITALL) == (ssize_t)in_size - 4;
}

/* Sorts the values of the frame by tag, each with zeroes behind it. False: it is malformed. */
static bool read_fields(struct list fields[TAGS]) {
    size_t at = 5;
    while (at + 5 <= in_size) {
        uint8_t tag = in[at];
        size_t size = number_at(in + at + 1);
        at += 5 + size;
        if (at > in_size) return false;
        char *value = text("%*s", (int)size + NUMBER_BYTES, "");
        memset(mempcpy(value, in + at - size, size), 0, NUMBER_BYTES);
        if (tag < TAGS) add(&fields[tag], value);
    }
    return at == in_size;
}

/* Ends the preprocessor and all that it started, then removes what is not in its place. */
static void clean_up(void) {
    if (preprocessor > 0) {
        kill(-preprocessor, SIGTERM);
        poll(&(struct pollfd){diagnostics, 0, 0}, 1, LIMIT_TERMINATION); /* until it hangs up */
        kill(-preprocessor, SIGKILL);
        waitpid(preprocessor, NULL, 0);
        close(diagnostics);
        diagnostics = -1;
        preprocessor = printed = 0;
    }
    for (; pending.count > 0; pending.count--) unlink(pending.items[pending.count - 1]);
}

/* SIGPIPE comes from standard output or error, where it would end the compiler as well. */
static void on_deadly_signal(int number) {
    send_leaving(INTERRUPTED);
    clean_up();
    signal(number, SIG_DFL);
    raise(number); /* takes effect on return: make is to see that a signal ended us */
}

static bool write_output(int descriptor) {
    sigprocmask(SIG_SETMASK, &mask_before, NULL); /* this may take long */
    for (size_t at = 5; at < in_size;) {
        ssize_t size = write(descriptor, in + at, in_size - at);
        if (size >= 0) at += size;
        else if (errno == EAGAIN) poll(&(struct pollfd){descriptor, POLLOUT, 0}, 1, -1);
        else if (errno != EINTR) break; /* closed or full: compilers pass over that as well */
    }
    return true;
}

/* Its output goes into a file that is the daemon's to read; it is one of the temporaries. */
static bool preprocess(const struct command *command, struct list *fields) {
    if (preprocessor > 0 || !fields[TAG_WORD].count || !fields[TAG_INTO].count) return false;
    char *path = fields[TAG_INTO].items[0];
    add(&pending, path);
    int source = own(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    int ends[2] = {-1, -1}, launcher = getpid();
    if (source >= 0 && pipe2(ends, O_CLOEXEC) == 0) {
        diagnostics = own(ends[0]), ends[1] = own(ends[1]);
        preprocessor = fork();
        setpgid(preprocessor, 0); /* on both sides, as either may be first */
        if (preprocessor == 0) {
            connection = -1; /* a signal to this child alone says no LEAVING */
            pending.count = 0;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            sigprocmask(SIG_SETMASK, &mask_before, NULL);
            close(0);
            bool has_input = open("/dev/null", O_RDONLY) == 0, is_orphan = getppid() != launcher;
            if (!has_input || is_orphan || dup2(source, 1) < 0 || dup2(ends[1], 2) < 0) _exit(127);
            exec_compiler(command, fields[TAG_WORD].items);
            _exit(127);
        }
    }
    close(source);
    close(ends[1]);
    return preprocessor > 0;
}

/* Gathers what it prints, as far as there is room; says PREPROCESSED when it has ended. */
static void follow_preprocessor(void) {
    struct rusage used = {0};
    int status = 0, size = read(diagnostics, in, sizeof in);
    if (size > 0 && (printed += size) <= LIMIT_FRAME_BYTES) put_field(TAG_MESSAGE, in, size);
    if (size > 0) return;
    wait4(preprocessor, &status, 0, &used);
    put_number(TAG_STATUS, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    put_number(TAG_STDERR_BYTES, printed);
    uint32_t cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000;
    put_number(TAG_CPU_MICROSECONDS, cpu + used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    send_frame(PREPROCESSED);
    close(diagnostics);
    diagnostics = -1;
    preprocessor = printed = 0;
}

/* Why a target cannot be replaced, as errno, or 0: it has to be absent or a regular file. */
static int obstacle(const char *target) {
    struct stat file;
    if (lstat(target, &file) < 0) return errno == ENOENT ? 0 : errno;
    return S_ISREG(file.st_mode) ? 0 : S_ISDIR(file.st_mode) ? EISDIR : EEXIST;
}

/* Moves outputs into place, in order, and ends; where that fails, EXEC is what comes next. */
static bool finish(int status, const struct list *from, const struct list *to) {
    const char *target = "";
    int error = 0;
    if (status < 0 || from->count != to->count) return false;
    for (size_t i = 0; i < to->count && !error; i++) error = obstacle(target = to->items[i]);
    for (size_t i = 0; i < to->count && !error; i++) {
        error = rename(from->items[i], target = to->items[i]) < 0 ? errno : 0;
    }
    clean_up();
    put_number(TAG_ERRNO, error);
    put_text(TAG_FAILED_TARGET, error == 0 ? "" : target);
    send_frame(COMMITTED);
    if (error == 0) exit(status);
    say("'%s' cannot be replaced: %s", target, strerror(error));
    return true;
}

/* False when that cannot be done: the compiler runs here then. */
static bool obey(const struct command *command) {
    struct list fields[TAGS] = {[TAG_TEMPORARY] = pending};
    bool is_raw = in[4] == TEMPORARY || in[4] == STDOUT || in[4] == STDERR;
    if (!is_raw && !read_fields(fields)) return false;
    pending = fields[TAG_TEMPORARY];
    int status = fields[TAG_STATUS].count > 0 ? (int)number_at(fields[TAG_STATUS].items[0]) : -1;
    switch (in[4]) {
    case BEAT: /* what outlives the preprocessor and holds its output would have us wait for ever */
        return preprocessor == 0 || waitpid(preprocessor, NULL, WNOHANG) != preprocessor;
    case STDOUT: return write_output(STDOUT_FILENO);
    case STDERR: return write_output(STDERR_FILENO);
    case TEMPORARY: add(&pending, text("%.*s", (int)in_size - 5, in + 5)); return true;
    case PREPROCESS:
        if (preprocess(command, fields)) return true;
        send_leaving(CANNOT_PREPROCESS);
        return false;
    case DONE: return finish(status, &fields[TAG_RENAME_FROM], &fields[TAG_RENAME_TO]);
    case FAIL:
        if (status < 0 || fields[TAG_MESSAGE].count == 0) return false;
        clean_up();
        die(status, "%s", fields[TAG_MESSAGE].items[0]);
    case EXEC:
        clean_up();
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        become_compiler(command, connection);
    default: return false;
    }
}

/* False, with errno, when none came in time or the connection has ended. */
static bool wait_for_frame(void) {
    for (int64_t end = now() + LIMIT_SILENCE;;) {
        int left = end > now() ? end - now() : 0;
        struct pollfd ready[] = {{connection, POLLIN, 0}, {diagnostics, POLLIN, 0}};
        poll(ready, 2, left);
        if (ready[1].revents != 0) follow_preprocessor();
        if (ready[0].revents != 0) return receive_frame();
        if (left == 0) break;
    }
    send_leaving(DAEMON_SILENT);
    errno = ETIMEDOUT;
    return false;
}

/* Returns when the compiler is to run here, or another daemon to be asked before. */
enum ending converse(const struct command *command, int new_connection) {
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    static const char *const said[] = {
        "cannot help", "ended the connection at once", "ended before it was done",
    };
    enum ending when_gone = UNHEARD;
    connection = new_connection;
    for (int i = 0; i < 4; i++) {
        sigaddset(&held, deadly[i]);
        if (signal(deadly[i], on_deadly_signal) == SIG_IGN) signal(deadly[i], SIG_IGN);
    }
    bool is_there = send_request(command), goes_on = is_there;
    while (goes_on && (is_there = wait_for_frame())) {
        when_gone = LOST;
        sigprocmask(SIG_BLOCK, &held, &mask_before); /* a commit is whole or not at all */
        goes_on = obey(command);
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
    }
    bool is_gone = !is_there && (errno == EPIPE || errno == ECONNRESET);
    enum ending ending = is_gone ? when_gone : DECIDED;
    clean_up();
    close(connection);
    say("the session daemon %s", said[ending]);
    return ending;
}
