/*
 * launches FIRST COUNT AT_ONCE COMMAND...: runs the command COUNT times, AT_ONCE at a time, with
 * nothing of make but fork and exec. `@` in a word stands for the run's number, from FIRST on. Prints the seconds that all took, and the seconds of processor time of the commands and of
 * this program. Ends with status 1 as soon as one fails.
 */
#define _GNU_SOURCE
#include <err.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu_of(int who)
{
    struct rusage used;
    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void start(char **words, int words_count, int number)
{
    char *filled[words_count + 1];
    pid_t child;
    for (int i = 0; i < words_count; i++) {
        const char *mark = strchr(words[i], '@');
        if (!mark) filled[i] = strdup(words[i]);
        else if (asprintf(&filled[i], "%.*s%d%s", (int)(mark - words[i]), words[i], number,
                          mark + 1) < 0) {
            err(1, NULL);
        }
    }
    filled[words_count] = NULL;
    if (posix_spawnp(&child, filled[0], NULL, NULL, filled, environ) != 0) err(1, "%s", filled[0]);
    for (int i = 0; i < words_count; i++) free(filled[i]);
}

int main(int argc, char **argv)
{
    if (argc < 5) errx(2, "usage: launches FIRST COUNT AT_ONCE COMMAND...");
    const int first = atoi(argv[1]), count = atoi(argv[2]), at_once = atoi(argv[3]);
    const double began = now();
    for (int started = 0, ended = 0; ended < count;) {
        int status;
        if (started < count && started - ended < at_once) {
            start(argv + 4, argc - 4, first + started++);
            continue;
        }
        if (wait(&status) < 0) err(1, "wait");
        if (status != 0) errx(1, "a command ended with %d", WEXITSTATUS(status));
        ended++;
    }
    printf("%.6f %.6f %.6f\n", now() - began, cpu_of(RUSAGE_CHILDREN), cpu_of(RUSAGE_SELF));
    return 0;
}
