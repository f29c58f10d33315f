/*
 * account FILE COMMAND...: runs the command and ends as it did. If the command compiles a source
 * file to an object, one line is added to FILE: microseconds of processor time (user and system)
 * that it and all that it waited for used, microseconds from its start to its end, and its output
 * as -o has it.
 *
 * It has a real-time priority where it may, its command has not: what it tells is when the command
 * ended, and not when a busy host let somebody look.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int is_source(const char *word)
{
    const char *dot = strrchr(word, '.');
    return *word != '-' && dot && (!strcmp(dot, ".c") || !strcmp(dot, ".S"));
}

static int compiles(char **words)
{
    int to_object = 0, sources = 0;
    for (; *words; words++) {
        if (!strcmp(*words, "-c")) to_object = 1;
        sources += is_source(*words);
    }
    return to_object && sources == 1;
}

static long long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static const char *output_of(char **words)
{
    for (; *words; words++)
        if (!strcmp(*words, "-o") && words[1]) return words[1];
    return "-";
}

static long long since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - began->tv_sec) * 1000000LL + (now.tv_nsec - began->tv_nsec) / 1000;
}

static int note(const char *path, const struct rusage *usage, long long wall, const char *output)
{
    char line[PATH_MAX + 64];
    const long long cpu = microseconds(usage->ru_utime) + microseconds(usage->ru_stime);
    const int length = snprintf(line, sizeof line, "%lld %lld %s\n", cpu, wall, output);
    const int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    return file >= 0 && write(file, line, length) == length;
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    /* Without it the end is told late, and less of the time is explained: no reason to stop. */
    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &(struct sched_param){.sched_priority = 1});
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    struct rusage usage;
    int status;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
        perror("account");
        return 2;
    }
    const long long wall = since(&began);
    if (compiles(argv + 2) && !note(argv[1], &usage, wall, output_of(argv + 2))) {
        perror(argv[1]);
        return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
