/* Finding the compiler behind tscc and its kin, and becoming it. */
#include "launcher.h"
#include <sched.h>

/* Programs that in their turn call a compiler found along PATH. */
static const char *const kin[] = {"tscc", "ccache", "sccache", "distcc", "icecc", "icerun", NULL};
static const char *const only_tscc[] = {"tscc", NULL};

/* How many compilers around this launcher tscc has started: ends loops through other kin. */
static int nesting(void) { return atoi(getenv("_TSCC_GUARD") ?: "0"); }

/* Whether a path leads to one of the programs, or to this very file. */
static bool leads_to(const char *const *programs, const char *path, const struct stat *file) {
    struct stat self;
    const char *real = realpath(path, NULL);
    bool is_self = stat("/proc/self/exe", &self) == 0 && file->st_dev == self.st_dev &&
                   file->st_ino == self.st_ino;
    return is_self || (real && is_one_of(last_component(real), programs));
}

/* `tscc ccache gcc` asks for ccache; `tscc gcc`, where gcc is a link to ccache, does not. */
static const char *find_along_path(const char *name, bool *others_first) {
    const char *const *unwanted = is_one_of(name, kin) ? only_tscc : kin;
    struct stat file;
    for (const char *at = getenv("PATH") ?: "/bin:/usr/bin", *end; at; at = *end ? end + 1 : NULL) {
        int size = (end = strchrnul(at, ':')) - at;
        const char *path = text("%.*s/%s", size ? size : 1, size ? at : ".", name);
        if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) || access(path, X_OK) < 0) continue;
        if (!leads_to(unwanted, path, &file)) return path;
        *others_first = true;
    }
    die(NO_COMPILER, "compiler '%s' not found along PATH: install it or correct the command", name);
}

/* A compiler's path, and whether wrappers were passed by. Ends when there is none, or a loop. */
const char *find_compiler(const char *name, bool *others_first) {
    struct stat file;
    bool is_loop = nesting() >= LIMIT_NESTING;
    if (!is_loop && !strchr(name, '/')) return find_along_path(name, others_first);
    if (!is_loop && (stat(name, &file) < 0 || !leads_to(only_tscc, name, &file))) return name;
    die(RECURSION, "'%s' leads back to tscc: name the compiler behind it", name);
}

/* Becomes the compiler, or returns errno. */
int exec_compiler(const struct command *command, char **words) {
    setenv("_TSCC_GUARD", text("%d", nesting() + 1), true);
    execvp(command->compiler, words);
    return errno;
}

/* `slot`, or -1, survives exec: the slot is free when all that hold the descriptor have ended. */
void become_compiler(const struct command *command, int slot) {
    fcntl(slot, F_SETFD, 0);
    int error = exec_compiler(command, command->words);
    die(error == ENOENT || error == EACCES ? NO_COMPILER : FAILURE,
        "cannot run '%s' (%s): correct the command", command->compiler, strerror(error));
}

/* A lock on the first slot that is free; -1 with EWOULDBLOCK when none is. */
static int take_slot(const char *state, int count) {
    for (int i = 0; i < count; i++) {
        char *path = text("%s/slots/%d", state, i);
        int slot = own(open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
        free(path);
        if (slot < 0 || flock(slot, LOCK_EX | LOCK_NB) == 0) return slot;
        close(slot);
    }
    return -1;
}

/* As many at once as cores. One that another may wait for, inside it or in a pipe, has no slot. */
void run_here(const struct command *command, const char *state) {
    struct stat in;
    bool is_pipe = fstat(0, &in) == 0 && (S_ISFIFO(in.st_mode) || S_ISSOCK(in.st_mode));
    bool reads_pipe = is_pipe && is_one_of("-", (const char *const *)command->words);
    cpu_set_t usable;
    int cores = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    int slot = -1;
    say("'%s' runs here, without the session daemon", command->compiler);
    if (state && nesting() == 0 && !reads_pipe) {
        mkdir(text("%s/slots", state), 0700);
        for (int waited = 0; waited < LIMIT_SLOT_WAIT; waited += 20, poll(NULL, 0, 20)) {
            slot = take_slot(state, cores);
            if (slot >= 0 || errno != EWOULDBLOCK) break;
        }
    }
    become_compiler(command, slot);
}
