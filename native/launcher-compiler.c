/* Finding the compiler behind tscc and its kin, and becoming it. */
#include "launcher.h"
#include <sched.h>

/* Programs that call a compiler found along PATH in their turn. */
static const char *const wrappers[] = {"tscc", "ccache", "sccache", "distcc", "icecc", "icerun", NULL};
static const char *const only_tscc[] = {"tscc", NULL};

/* How many compilers around this launcher tscc has started: ends loops through other wrappers. */
static int nesting(void) {
    const char *depth = variable("_TSCC_GUARD");
    return depth ? atoi(depth) : 0;
}

/* Whether a path leads to one of the programs, or to this very file. */
static bool leads_to(const char *const *programs, const char *path, const struct stat *file) {
    struct stat self;
    const char *real = realpath(path, NULL);
    bool is_self = stat("/proc/self/exe", &self) == 0 && file->st_dev == self.st_dev &&
                   file->st_ino == self.st_ino;
    return is_self || (real && is_one_of(last_component(real), programs));
}

/* The first program of this name along PATH that is no unwanted wrapper; ends without one. */
static const char *find_along_path(const char *name, bool *others_first) {
    /* `tscc ccache gcc` asks for ccache; `tscc gcc`, with gcc a link to ccache, does not. */
    const char *const *unwanted = is_one_of(name, wrappers) ? only_tscc : wrappers;
    struct stat file;
    for (const char *at = getenv("PATH") ?: "/bin:/usr/bin", *end; at; at = *end ? end + 1 : NULL) {
        end = strchrnul(at, ':');
        const char *path = text("%.*s/%s", end == at ? 1 : (int)(end - at), end == at ? "." : at, name);
        if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) || access(path, X_OK) < 0) continue;
        if (!leads_to(unwanted, path, &file)) return path;
        *others_first = true;
    }
    die(COMPILER_MISSING, "compiler '%s' not found along PATH: install it or correct the command", name);
}

/*
 * The path of a compiler, and whether wrappers of its name were passed by. Ends the program when
 * there is none, or tscc again and again.
 */
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
    die(error == ENOENT || error == EACCES ? COMPILER_MISSING : ANY_FAILURE,
        "cannot run '%s' (%s): correct the command", command->compiler, strerror(error));
}

/* Both ends of `tscc gcc -E x.c | tscc gcc -x c -` may be ours, and wait for each other's slot. */
static bool reads_pipe(char **words) {
    struct stat in;
    bool is_pipe = fstat(0, &in) == 0 && (S_ISFIFO(in.st_mode) || S_ISSOCK(in.st_mode));
    return is_pipe && is_one_of("-", (const char *const *)words);
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

/* Without the daemon, no more at once than cores. A compiler inside one of ours shares its slot. */
void run_here(const struct command *command, const char *state) {
    cpu_set_t usable;
    int cores = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    int slot = -1;
    say("'%s' runs here, without the session daemon", command->compiler);
    if (state && nesting() == 0 && !reads_pipe(command->words)) {
        mkdir(text("%s/slots", state), 0700);
        for (int waited = 0; waited < LIMIT_SLOT_WAIT; waited += 20, poll(NULL, 0, 20)) {
            slot = take_slot(state, cores);
            if (slot >= 0 || errno != EWOULDBLOCK) break;
        }
    }
    become_compiler(command, slot);
}
