/*
 * Which system calls of a supervised compiler go to its supervisor: those that name files and that
 * compilers make. All others that do are refused, so that no name gets to the kernel, and so is what
 * would change a file of a layer by a descriptor that is open to be read: it belongs to the same user.
 * Calls newer than this list do not exist; C libraries do without.
 */
#include "supervisor.h"
#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define UNLESS_BIT(value, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, value, 0, skip)
#define WHEN_BIT(value, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, value, skip, 0)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define NOTIFY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ASKED(name) UNLESS(SYS_##name, 1), NOTIFY
#define FORBIDDEN(name) UNLESS(SYS_##name, 1), REFUSE(EPERM)
#define UNKNOWN(name) UNLESS(SYS_##name, 1), REFUSE(ENOSYS)

enum { FIRST_UNKNOWN = 452, NEGATIVE = 0x80000000 };

static struct sock_filter filter[] = {
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_UNKNOWN, 0, 1), REFUSE(ENOSYS),

    ASKED(openat), ASKED(faccessat), ASKED(readlinkat), ASKED(execve), ASKED(clone),
    ASKED(unlinkat), ASKED(getcwd), ASKED(renameat2), ASKED(mkdirat), ASKED(fchmodat),
    ASKED(fchmod),
#ifdef SYS_renameat
    ASKED(renameat),
#endif
    UNKNOWN(openat2), UNKNOWN(faccessat2), UNKNOWN(statx), UNKNOWN(execveat),
    FORBIDDEN(chdir), FORBIDDEN(fchdir), FORBIDDEN(truncate), FORBIDDEN(statfs),
    FORBIDDEN(linkat), FORBIDDEN(symlinkat), FORBIDDEN(mknodat), FORBIDDEN(fchownat),
    FORBIDDEN(fchown), FORBIDDEN(utimensat), FORBIDDEN(setxattr), FORBIDDEN(lsetxattr),
    FORBIDDEN(fsetxattr), UNKNOWN(getxattr), UNKNOWN(lgetxattr), UNKNOWN(listxattr),
    UNKNOWN(llistxattr), FORBIDDEN(removexattr), FORBIDDEN(lremovexattr),
    FORBIDDEN(fremovexattr), FORBIDDEN(inotify_add_watch), FORBIDDEN(fanotify_mark),
    /* All that runs is killed as one group. */
    FORBIDDEN(setsid), FORBIDDEN(setpgid),
#ifdef SYS_open
    ASKED(open), ASKED(creat), ASKED(stat), ASKED(lstat), ASKED(access), ASKED(readlink),
    ASKED(unlink), ASKED(rename), ASKED(mkdir), ASKED(chmod), ASKED(fork), ASKED(vfork),
    FORBIDDEN(link), FORBIDDEN(symlink), FORBIDDEN(rmdir), FORBIDDEN(mknod), FORBIDDEN(chown),
    FORBIDDEN(lchown), FORBIDDEN(utime), FORBIDDEN(utimes), FORBIDDEN(futimesat),
    FORBIDDEN(uselib),
#endif

    /* fstat, as a C library may ask it: what is open is known. */
    UNLESS(SYS_newfstatat, 6),
    LOAD(args[3]),
    UNLESS_BIT(AT_EMPTY_PATH, 3),
    LOAD(args[0]),
    WHEN_BIT(NEGATIVE, 1),
    ALLOW,
    NOTIFY,
    LOAD(nr),
    UNLESS(SYS_ioctl, 8),
    LOAD(args[1]),
    UNLESS(TCGETS, 1), ALLOW,
    UNLESS(TIOCGWINSZ, 1), ALLOW,
    UNLESS(FIONREAD, 1), ALLOW,
    REFUSE(ENOTTY),
    ALLOW,
};

int notify_of_calls(void)
{
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                          SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (listener >= 0 || errno != EINVAL) return listener;
    /* Where no signal but a deadly one interrupts a call that is being answered: not here. */
    flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
