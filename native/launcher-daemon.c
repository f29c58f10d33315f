/* Reaching the session daemon, and starting it: docs/protocol.md section 1. */
#include "launcher.h"
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

/* The real path of a directory that can be written, made with its parents where needed, or NULL. */
static char *make_state(char *path) {
    for (char *slash = path; (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        mkdir(path, 0700);
    }
    mkdir(path, 0700);
    return access(text("%s/", path), W_OK | X_OK) == 0 ? realpath(path, NULL) : NULL;
}

static bool is_own_directory(const char *path, mode_t forbidden) {
    struct stat file;
    return lstat(path, &file) == 0 && S_ISDIR(file.st_mode) && file.st_uid == geteuid() &&
           (file.st_mode & forbidden) == 0;
}

/* The directory of sockets: closed to others, and short enough for a socket's address. */
static char *find_base(void) {
    struct sockaddr_un address;
    const char *runtime = variable("XDG_RUNTIME_DIR");
    bool is_usable = runtime && *runtime == '/' && is_own_directory(text("%s/", runtime), 0) &&
        strlen(runtime) + sizeof "/tscc/0123456789abcdef.sock" <= sizeof address.sun_path;
    char *base = is_usable ? text("%s/tscc", runtime) : text("/tmp/tscc-%u", geteuid());
    mkdir(base, 0700);
    if (is_own_directory(base, 077)) return base;
    say("'%s' is not a directory of yours that is closed to others: remove it", base);
    return NULL;
}

struct place find_place(void) {
    const char *chosen = variable("TSCC_DIR"), *home = variable("HOME");
    const char *states = variable("XDG_STATE_HOME");
    char *base = find_base(), *state = NULL;
    if (chosen) state = make_state(text("%s", chosen));
    else if (states && *states == '/') state = make_state(text("%s/tscc", states));
    else if (home) state = make_state(text("%s/.local/state/tscc", home));
    if (!state && base) state = make_state(text("%s/state", base));
    if (!state || !base) return (struct place){.state = state};
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (char *p = state; *p; p++) hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    char *stem = text("%s/%016jx", base, (uintmax_t)hash);
    char *socket = text("%s.sock", stem), *lock = text("%s.lock", stem);
    return (struct place){state, socket, lock, text("%s.failed", stem)};
}

/* `operate` is bind or connect. Sends, receives and connect itself get a bound. */
static int new_socket(const char *path, int (*operate)(int, const struct sockaddr *, socklen_t)) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {LIMIT_SILENCE / 1000, LIMIT_SILENCE % 1000 * 1000};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int descriptor = own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (operate(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    close(descriptor); /* leaves errno alone */
    return -1;
}

/* A connection to a daemon of this user, or -1 with errno. */
static int connect_to(const char *path) {
    struct ucred peer = {.uid = -1};
    int connection = new_socket(path, connect);
    if (connection < 0) return -1;
    getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){sizeof peer});
    if (peer.uid == geteuid()) return connection;
    close(connection);
    errno = EPERM;
    return -1;
}

/* In a new process: cuts its ties to the build and becomes node, which resets signals itself. */
static int become_daemon(const struct place *place, int listener) {
    const char *path = variable("PATH");
    char *script = text("%s/build/src/client/session-daemon-main.js", installation());
    /*
     * V8 takes a daemon that waits for compilers for idle, and would collect its heap all the time. It
     * optimizes as for a program that runs on, and a build ends before that has paid: less, and later.
     */
    char *words[] = {"node", "--no-memory-reducer", "--heap-growing-percent=50",
                     "--interrupt-budget=400000", script,
                     "--state", place->state, "--socket", place->socket, NULL};
    char *log_path = text("%s/daemon.log", place->state);
    umask(077);
    int null = own(open("/dev/null", O_RDWR | O_CLOEXEC));
    int log = own(open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (log < 0) log = null;
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return errno;
    if (dup2(listener, 3) < 0 || chdir("/") < 0) return errno;
    if (close_range(4, ~0U, CLOSE_RANGE_CLOEXEC) < 0) { /* before Linux 5.11 */
        for (int i = 4; i < sysconf(_SC_OPEN_MAX); i++) fcntl(i, F_SETFD, FD_CLOEXEC);
    }
    return exec_node(words, (char *[]){path ? text("PATH=%s", path) : NULL, NULL});
}

/* Under the lock, where nobody listens: starts it as nobody's child. Returns 0 or an errno. */
static int start_daemon(const struct place *place) {
    int status;
    volatile int error = 0; /* set in the vforked process, which shares it until it execs */
    unlink(place->socket); /* left by a daemon that died */
    int listener = new_socket(place->socket, bind);
    if (listener < 0 || listen(listener, LIMIT_BACKLOG) < 0) return errno;
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (vfork() == 0) _exit(error = become_daemon(place, listener));
        _exit(error);
    }
    close(listener); /* from here on it ends with the daemon */
    return waitpid(child, &status, 0) < 0 ? errno : WEXITSTATUS(status);
}

void note_failed_start(const struct place *place) {
    int file = own(open(place->failed, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    futimens(file, NULL);
    close(file);
    say("the session daemon cannot be started: see '%s/daemon.log'", place->state);
}

/* A connection, or -1. `started` is set when this very launcher tried to start the daemon. */
int reach_daemon(const struct place *place, bool *started) {
    struct stat failed;
    int connection = connect_to(place->socket), spent = 0;
    if (connection >= 0 || (errno != ENOENT && errno != ECONNREFUSED)) return connection;
    int lock = own(open(place->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    while (flock(lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK && spent < LIMIT_START_WAIT) {
        spent += 10 + poll(NULL, 0, 10);
    }
    connection = connect_to(place->socket);
    bool has_failed = stat(place->failed, &failed) == 0 &&
                      labs(time(NULL) - failed.st_mtime) * 1000 < LIMIT_START_PAUSE;
    if (connection < 0 && lock >= 0 && spent < LIMIT_START_WAIT && !has_failed) {
        *started = true;
        int error = start_daemon(place);
        say("starting the session daemon: %s", error ? strerror(error) : "done");
        if (error == 0) connection = connect_to(place->socket);
    }
    close(lock);
    return connection;
}
