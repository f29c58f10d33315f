/* What the other files share. */
#include "launcher.h"
#include <err.h>
#include <stdarg.h>
#include <time.h>

char *text(const char *format, ...) {
    char *result;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&result, format, arguments) < 0) err(NO_MEMORY, NULL);
    va_end(arguments);
    return result;
}

void add(struct list *list, char *item) {
    list->items = reallocarray(list->items, list->count + 2, sizeof *list->items);
    if (!list->items) err(NO_MEMORY, NULL);
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

/* An environment variable; one that is empty counts as not set. */
const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool is_one_of(const char *word, const char *const *list) {
    while (*list && strcmp(word, *list) != 0) list++;
    return *list;
}

/* Moves our descriptors off 3 and 4, where compilers that make 4.3 started expect its jobserver. */
int own(int descriptor) {
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 100);
    if (moved >= 0) close(descriptor);
    return moved >= 0 ? moved : descriptor; /* -1; or low, where the limit is below 100 */
}

/* Milliseconds of a clock that nobody sets. */
int64_t now(void) {
    return now_microseconds() / 1000;
}

int64_t now_microseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

/* Now, less what this process has waited for a processor: on a busy host that is most of a start. */
int64_t ready_microseconds(void) {
    char seen[96] = "";
    int file = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    if (read(file, seen, sizeof seen - 1) < 0) *seen = 0; /* a kernel that does not count it */
    close(file);
    const char *second = strchr(seen, ' ');
    int64_t waited = second ? strtoll(second, NULL, 10) : 0; /* nanoseconds */
    return now_microseconds() - waited / 1000;
}

/* The directory that holds bin/ with this program, and build/; NULL without /proc. */
char *installation(void) {
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    for (int slashes = 0; size > 0 && slashes < 2;) slashes += path[--size] == '/';
    return size < 0 ? NULL : text("%.*s", (int)size, path);
}

/*
 * Becomes the node that was packed with tscc, else the one that it was built with (a package, which
 * is for other hosts, has none), else the first along PATH; or returns errno.
 */
int exec_node(char **words, char **environment) {
    const char *home = installation();
    if (home) execve(words[0] = text("%s/libexec/node", home), words, environment);
#ifdef TSCC_NODE
    execve(words[0] = TSCC_NODE, words, environment);
#endif
    execvpe(words[0] = "node", words, environment);
    return errno;
}
