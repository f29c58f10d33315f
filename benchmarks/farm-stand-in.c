/*
 * A compiler for the simulated farm (farm.ts). It stands in the compiler's place under each of its
 * names. Asked for a compile that was recorded, it takes as long as the real one took, without
 * computing, and leaves what that left. All else it hands on to the next compiler of its name along
 * PATH: searches for headers, preprocessing, questions after version and directories.
 *
 * A recorded compile is known by -frandom-seed=KEY, which every client hands on as it is. KEY is a
 * digest of the command and its directory. The recordings are the end of this very program, so that
 * they are wherever it is: a server's sealed root has the compiler, and nothing else of the host.
 *
 * With TSCC_FARM_LOG it waits for those and adds each to that file: number of words, directory, words,
 * microseconds that it took, microseconds of processor time, exit status, what it printed to
 * standard error, each ended by a NUL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEY_LENGTH = 16 };
enum { OBJECT, DEPENDENCIES, WORDS, PARTS };

/* Twins: farm-stand-in.ts, which writes them; little-endian, as the machines are that this is for. */
struct recording {
    char key[KEY_LENGTH];
    uint64_t microseconds;
    struct {
        uint64_t at, bytes;
    } parts[PARTS]; /* object, dependency file, what was printed */
};

struct end {
    char magic[16];
    uint64_t index, count;
};

static const char MAGIC[] = "tscc farm 000001";

struct command {
    const char *key, *output, *dependencies;
    int lists, compiles, asks;
};

static _Noreturn void fail(const char *what, const char *which)
{
    fprintf(stderr, "farm-stand-in: %s %s: %s\n", what, which, strerror(errno));
    exit(126);
}

static const char *after(const char *word, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(word, prefix, length) ? NULL : word + length;
}

static void read_words(struct command *command, char **words)
{
    for (; *words; words++) {
        const char *value;
        if ((value = after(*words, "-frandom-seed="))) command->key = value;
        else if (!strcmp(*words, "-c") || !strcmp(*words, "-S")) command->compiles = 1;
        else if (!strcmp(*words, "-E") || !strcmp(*words, "-M") || !strcmp(*words, "-MM"))
            command->asks = 1;
        else if (!strcmp(*words, "-o") && words[1]) command->output = *++words;
        else if (!strcmp(*words, "-MF") && words[1]) command->dependencies = *++words;
        else if ((value = after(*words, "-Wp,-MD,")) || (value = after(*words, "-Wp,-MMD,")))
            command->dependencies = value;
        else if (!strcmp(*words, "-MD") || !strcmp(*words, "-MMD")) command->lists = 1;
    }
}

static void read_all(int file, void *to, size_t bytes, uint64_t at)
{
    for (char *next = to; bytes > 0;) {
        const ssize_t n = pread(file, next, bytes, (off_t)at);
        if (n <= 0) fail("cannot read", "the recordings");
        next += n, at += (uint64_t)n, bytes -= (size_t)n;
    }
}

/* Whether this program has such a recording. */
static int find(int self, const char *key, struct recording *found)
{
    struct end end;
    const off_t size = lseek(self, 0, SEEK_END);
    if (strlen(key) != KEY_LENGTH || size < (off_t)sizeof end) return 0;
    read_all(self, &end, sizeof end, (uint64_t)size - sizeof end);
    if (memcmp(end.magic, MAGIC, sizeof end.magic)) return 0;
    for (uint64_t i = 0; i < end.count; i++) {
        read_all(self, found, sizeof *found, end.index + i * sizeof *found);
        if (!memcmp(found->key, key, KEY_LENGTH)) return 1;
    }
    return 0;
}

static void write_all(int file, const char *bytes, size_t count, const char *path)
{
    while (count > 0) {
        const ssize_t n = write(file, bytes, count);
        if (n < 0) fail("cannot write", path);
        bytes += n, count -= (size_t)n;
    }
}

static void put_part(int self, const struct recording *recording, int part, int file,
                     const char *path)
{
    const uint64_t bytes = recording->parts[part].bytes;
    char *content = malloc(bytes + 1);
    if (!content) fail("no memory for", path);
    read_all(self, content, bytes, recording->parts[part].at);
    write_all(file, content, bytes, path);
    free(content);
}

static void put_file(int self, const struct recording *recording, int part, const char *path)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) fail("cannot make", path);
    put_part(self, recording, part, file, path);
    if (close(file)) fail("cannot write", path);
}

static void replay(int self, const struct recording *recording, const struct command *command,
                   struct timespec until)
{
    until.tv_sec += (time_t)(recording->microseconds / 1000000);
    until.tv_nsec += (long)(recording->microseconds % 1000000) * 1000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;

    put_file(self, recording, OBJECT, command->output);
    if (command->dependencies) {
        put_file(self, recording, DEPENDENCIES, command->dependencies);
    } else if (command->lists) {
        char path[PATH_MAX];
        const char *name = strrchr(command->output, '/');
        const char *dot = strrchr(name ? name : command->output, '.');
        const size_t stem = dot ? (size_t)(dot - command->output) : strlen(command->output);
        if (snprintf(path, sizeof path, "%.*s.d", (int)stem, command->output) >= PATH_MAX) {
            errno = ENAMETOOLONG;
            fail("cannot make the dependency file of", command->output);
        }
        put_file(self, recording, DEPENDENCIES, path);
    }
    put_part(self, recording, WORDS, STDERR_FILENO, "standard error");
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* One write: others add theirs meanwhile. */
static void add_to(const char *log, const char *text, size_t bytes)
{
    const int file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || write(file, text, bytes) != (ssize_t)bytes) fail("cannot write", log);
    close(file);
}

/* Answers only in the process that is to become the compiler; the other ends as that does. */
static void note(const char *log, struct timespec began, int argc, char **argv)
{
    char *text = NULL, cwd[PATH_MAX];
    size_t bytes = 0;
    struct rusage usage;
    struct timespec ended;
    int status;
    const int printed = memfd_create("printed", MFD_CLOEXEC);
    const pid_t child = printed < 0 ? -1 : fork();
    if (child == 0) {
        if (dup2(printed, STDERR_FILENO) < 0) fail("cannot note", argv[0]);
        return;
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) fail("cannot note", argv[0]);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    if (WIFSIGNALED(status)) raise(WTERMSIG(status));
    const off_t size = lseek(printed, 0, SEEK_END);
    char *words = calloc(1, (size_t)size + 1);
    FILE *entry = open_memstream(&text, &bytes);
    if (!words || !entry || !getcwd(cwd, sizeof cwd)) fail("cannot note", argv[0]);
    read_all(printed, words, (size_t)size, 0);
    fprintf(entry, "%d%c%s%c", argc, 0, cwd, 0);
    for (int i = 0; i < argc; i++) fprintf(entry, "%s%c", argv[i], 0);
    fprintf(entry, "%lld%c%llu%c%d%c%s%c",
            (ended.tv_sec - began.tv_sec) * 1000000LL + (ended.tv_nsec - began.tv_nsec) / 1000, 0,
            (unsigned long long)(microseconds(usage.ru_utime) + microseconds(usage.ru_stime)), 0,
            WEXITSTATUS(status), 0, words, 0);
    if (fclose(entry)) fail("cannot note", argv[0]);
    add_to(log, text, bytes);
    write_all(STDERR_FILENO, words, (size_t)size, "standard error");
    exit(WEXITSTATUS(status));
}

static _Noreturn void hand_on(int self, char **argv)
{
    struct stat own, other;
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    const char *path = getenv("PATH");
    if (fstat(self, &own)) fail("cannot look at", "itself");
    for (const char *from = path ? path : ""; *from;) {
        const size_t length = strcspn(from, ":");
        char file[PATH_MAX];
        const int fits = snprintf(file, sizeof file, "%.*s/%s", (int)length, from, name) < PATH_MAX;
        if (length > 0 && fits && !stat(file, &other) && !access(file, X_OK) &&
            (other.st_dev != own.st_dev || other.st_ino != own.st_ino)) {
            argv[0] = file;
            execv(file, argv);
            fail("cannot run", file);
        }
        from += length + (from[length] == ':');
    }
    errno = ENOENT;
    fail("this is no recorded compile, and PATH has no other", name);
}

int main(int argc, char **argv)
{
    struct timespec began;
    struct recording recording;
    struct command command = {0};
    clock_gettime(CLOCK_MONOTONIC, &began);
    const char *program = (const char *)getauxval(AT_EXECFN);
    const int self = open(program, O_RDONLY | O_CLOEXEC);
    if (self < 0) fail("cannot open", program);
    read_words(&command, argv + 1);
    if (command.key && command.compiles && !command.asks && command.output &&
        find(self, command.key, &recording)) {
        replay(self, &recording, &command, began);
        return 0;
    }
    const char *log = getenv("TSCC_FARM_LOG");
    if (log && *log) note(log, began, argc, argv);
    hand_on(self, argv);
}
