/*
 * What a compiler prints on a terminal differs: colours, links, lines cut to its width. It asks the
 * kernel whether standard error is one. Where the client's is, a filter answers so for it: the call
 * is not made and gives 0. Standard error stays a file, and no terminal, with all that its driver
 * offers to whoever holds one, comes near the job. The width travels as COLUMNS.
 */
#include "runner.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define WHEN(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, 0)

/* The C libraries ask by different calls: glibc by the first or second, musl by the third. Halves
   of arguments are the low ones, and of another architecture the list of calls (runner-calls.c)
   kills whatever call there is. */
static struct sock_filter filter[] = {
    LOAD(nr),
    UNLESS(SYS_ioctl, 7),
    LOAD(args[0]),
    UNLESS(STDERR_FILENO, 5),
    LOAD(args[1]),
    WHEN(TCGETS, 2),
    WHEN(TCGETS2, 1),
    UNLESS(TIOCGWINSZ, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

step imitate_terminal(void)
{
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program))
        return "imitate a terminal";
    return NULL;
}
