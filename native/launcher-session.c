/* The conversation with the session daemon about one command, up to its verdict. */
#include "launcher.h"
#include <sys/prctl.h>
#include <sys/resource.h>

/* Global, because a signal may end the conversation. */
static int connection = -1;
static pid_t preprocessor;   /* leads a process group; 0: none runs */
static int diagnostics = -1; /* its standard error, which ends when all of the group have */
static uint32_t diagnostics_bytes;
static struct list temporaries;

/* Held off while a frame is obeyed, so that none falls into the midst of a commit. */
static const int deadly_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
static sigset_t deadly_set, mask_before;

/* Ends the preprocessor and all that it started, then removes what is not in its place. */
static void clean_up(void) {
    if (preprocessor > 0) {
        kill(-preprocessor, SIGTERM);
        poll(&(struct pollfd){diagnostics, 0, 0}, 1, LIMIT_TERMINATION); /* until it hangs up */
        kill(-preprocessor, SIGKILL);
        waitpid(preprocessor, NULL, 0);
        preprocessor = 0;
    }
    for (; temporaries.count > 0; temporaries.count--) unlink(temporaries.items[temporaries.count - 1]);
}

/* SIGPIPE comes from standard output or error, where it would end the compiler as well. */
static void on_deadly_signal(int number) {
    send_leaving(connection, INTERRUPTED);
    clean_up();
    signal(number, SIG_DFL);
    raise(number); /* takes effect on return: make is to see that a signal ended us */
}

static void catch_signals(void) {
    sigprocmask(SIG_BLOCK, NULL, &mask_before);
    for (int i = 0; i < 4; i++) {
        sigaddset(&deadly_set, deadly_signals[i]);
        if (signal(deadly_signals[i], on_deadly_signal) == SIG_IGN) signal(deadly_signals[i], SIG_IGN);
    }
}

static bool write_output(int descriptor, struct frame frame) {
    sigprocmask(SIG_SETMASK, &mask_before, NULL); /* this may take long */
    while (frame.size > 0) {
        ssize_t size = write(descriptor, frame.body, frame.size);
        if (size >= 0) frame.body += size, frame.size -= size;
        else if (errno == EAGAIN) poll(&(struct pollfd){descriptor, POLLOUT, 0}, 1, -1);
        else if (errno != EINTR) break; /* closed or full: compilers pass over that as well */
    }
    return true;
}

static bool preprocess(const struct command *command, const char *socket, const struct list *fields) {
    const struct list *words = &fields[TAG_WORD], *token = &fields[TAG_TOKEN];
    for (size_t i = 0; i < fields[TAG_TEMPORARY].count; i++) {
        add(&temporaries, fields[TAG_TEMPORARY].items[i]);
    }
    if (preprocessor > 0 || words->count == 0 || token->count == 0) return false;
    int source = connect_to(socket), ends[2] = {-1, -1};
    int null = own(open("/dev/null", O_RDONLY | O_CLOEXEC)), launcher = getpid();
    begin_frame(SOURCE);
    put_bytes(token->items[0], TOKEN_BYTES);
    if (source >= 0 && send_frame(source) && pipe2(ends, O_CLOEXEC) == 0) {
        diagnostics = own(ends[0]);
        ends[1] = own(ends[1]);
        preprocessor = fork();
        setpgid(preprocessor, 0); /* on both sides, as either may be first */
        if (preprocessor == 0) {
            connection = -1; /* a signal here is not the launcher's, and leaves its files alone */
            temporaries.count = 0;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            bool is_ready = dup2(null, 0) == 0 && dup2(source, 1) == 1 && dup2(ends[1], 2) == 2;
            sigprocmask(SIG_SETMASK, &mask_before, NULL);
            if (is_ready && getppid() == launcher) exec_compiler(command, words->items);
            _exit(127);
        }
    }
    close(null);
    close(source);
    close(ends[1]);
    return preprocessor > 0;
}

/* Counts what it prints, and says PREPROCESSED when it has ended. */
static void follow_preprocessor(void) {
    char bytes[4096];
    int status = 0;
    struct rusage used = {0};
    ssize_t size = read(diagnostics, bytes, sizeof bytes);
    diagnostics_bytes += size;
    if (size > 0) return;
    wait4(preprocessor, &status, 0, &used);
    begin_frame(PREPROCESSED);
    put_number(TAG_STATUS, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    put_number(TAG_STDERR_BYTES, diagnostics_bytes);
    put_number(TAG_CPU_MICROSECONDS, (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                                         used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    send_frame(connection);
    close(diagnostics);
    preprocessor = diagnostics_bytes = 0;
    diagnostics = -1;
}

/* Why a target cannot be replaced, as errno, or 0: it has to be absent or a regular file. */
static int obstacle(const char *target) {
    struct stat file;
    if (lstat(target, &file) < 0) return errno == ENOENT ? 0 : errno;
    return S_ISREG(file.st_mode) ? 0 : S_ISDIR(file.st_mode) ? EISDIR : EEXIST;
}

/* Moves outputs into place, in order, and ends; where that fails, EXEC is what comes next. */
static bool finish(int status, char **from, char **to, size_t count) {
    const char *target = "";
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++) error = obstacle(target = to[i]);
    for (size_t i = 0; i < count && error == 0; i++) {
        if (rename(from[i], target = to[i]) < 0) error = errno;
    }
    clean_up();
    begin_frame(COMMITTED);
    put_number(TAG_ERRNO, error);
    put_text(TAG_FAILED_TARGET, error == 0 ? "" : target);
    send_frame(connection);
    if (error == 0) exit(status);
    say("'%s' cannot be replaced: %s", target, strerror(error));
    return true;
}

/* False when that cannot be done: the compiler runs here then. */
static bool obey(const struct command *command, const char *socket, struct frame frame) {
    struct list fields[TAGS] = {0}, *from = &fields[TAG_RENAME_FROM], *to = &fields[TAG_RENAME_TO];
    bool has_fields = frame.type == PREPROCESS || frame.type == DONE || frame.type == FAIL;
    if (has_fields && !read_fields(frame, fields)) return false;
    uint32_t status = fields[TAG_STATUS].count > 0 ? read_number(fields[TAG_STATUS].items[0]) : ANY_FAILURE;
    switch (frame.type) {
    case BEAT: return true;
    case STDOUT: return write_output(STDOUT_FILENO, frame);
    case STDERR: return write_output(STDERR_FILENO, frame);
    case TEMPORARY: return add(&temporaries, text("%.*s", (int)frame.size, frame.body));
    case PREPROCESS:
        if (preprocess(command, socket, fields)) return true;
        send_leaving(connection, CANNOT_PREPROCESS);
        return false;
    case DONE:
        if (fields[TAG_STATUS].count == 0 || from->count != to->count) return false;
        return finish(status, from->items, to->items, to->count);
    case FAIL:
        clean_up();
        die(status, "%s", fields[TAG_MESSAGE].count > 0 ? fields[TAG_MESSAGE].items[0] : "no reason given");
    case EXEC:
        clean_up();
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        become_compiler(command, connection);
    default: return false;
    }
}

/* False, with errno, when none came in time or the connection has ended. */
static bool wait_for_frame(struct frame *frame) {
    for (int64_t end = now() + LIMIT_SILENCE;;) {
        int left = end > now() ? end - now() : 0;
        struct pollfd in[] = {{connection, POLLIN, 0}, {diagnostics, POLLIN, 0}};
        poll(in, 2, left);
        if (in[1].revents != 0) follow_preprocessor();
        if (in[0].revents != 0) return receive_frame(connection, frame);
        if (left > 0) continue;
        send_leaving(connection, DAEMON_SILENT);
        errno = ETIMEDOUT;
        return false;
    }
}

/* Returns when the compiler is to run here; false when another daemon may be asked before. */
bool converse(const struct command *command, const char *socket, int new_connection) {
    struct frame frame;
    bool was_heard = false;
    connection = new_connection;
    catch_signals();
    bool goes_on = send_request(command, connection);
    while (goes_on && wait_for_frame(&frame)) {
        was_heard = true;
        sigprocmask(SIG_BLOCK, &deadly_set, NULL);
        goes_on = obey(command, socket, frame);
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
    }
    bool has_ended = errno == EPIPE || errno == ECONNRESET;
    say("the session daemon %s", has_ended ? "ended the connection" : "cannot help");
    clean_up();
    close(connection);
    return was_heard || !has_ended;
}
