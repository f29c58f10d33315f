/*
 * seccomp: system calls that no compiler makes and every attack on a kernel or a neighbour begins
 * with. A list of what is forbidden, not of what is allowed, since the compilers and C libraries of
 * years to come shall run too; files, processes and memory are for the other layers to bound.
 */
#include "runner.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#define FORBIDDEN(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), REFUSE(EPERM)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

#ifdef ARCHITECTURE
enum {
    SPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
             CLONE_NEWPID | CLONE_NEWNET,
    X32 = 0x40000000
};

static struct sock_filter filter[] = {
    /* Another architecture's calls have other numbers. */
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1),
    REFUSE(ENOSYS),

    /* Network, and every other kind of socket. */
    FORBIDDEN(socket), FORBIDDEN(socketpair), FORBIDDEN(connect), FORBIDDEN(bind),
    FORBIDDEN(listen), FORBIDDEN(accept), FORBIDDEN(accept4),
    /* Other processes. */
    FORBIDDEN(ptrace), FORBIDDEN(process_vm_readv), FORBIDDEN(process_vm_writev), FORBIDDEN(kcmp),
    FORBIDDEN(pidfd_getfd), FORBIDDEN(process_madvise), FORBIDDEN(migrate_pages),
    FORBIDDEN(move_pages),
    /* Namespaces and mounts. clone3 hides its flags from a filter; libraries then use clone. */
    FORBIDDEN(unshare), FORBIDDEN(setns), FORBIDDEN(mount), FORBIDDEN(umount2),
    FORBIDDEN(pivot_root), FORBIDDEN(chroot), FORBIDDEN(open_tree), FORBIDDEN(move_mount),
    FORBIDDEN(fsopen), FORBIDDEN(fsconfig), FORBIDDEN(fsmount), FORBIDDEN(fspick),
    FORBIDDEN(mount_setattr), FORBIDDEN(open_by_handle_at), FORBIDDEN(name_to_handle_at),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1), REFUSE(ENOSYS),
    /* Large parts of the kernel that a compiler has no business in. */
    FORBIDDEN(bpf), FORBIDDEN(io_uring_setup), FORBIDDEN(io_uring_enter),
    FORBIDDEN(io_uring_register), FORBIDDEN(perf_event_open), FORBIDDEN(userfaultfd),
    FORBIDDEN(keyctl), FORBIDDEN(add_key), FORBIDDEN(request_key), FORBIDDEN(fanotify_init),
    FORBIDDEN(vmsplice), FORBIDDEN(io_setup), FORBIDDEN(mq_open), FORBIDDEN(shmget),
    FORBIDDEN(semget), FORBIDDEN(msgget),
    /* The machine. */
    FORBIDDEN(init_module), FORBIDDEN(finit_module), FORBIDDEN(delete_module),
    FORBIDDEN(kexec_load), FORBIDDEN(reboot), FORBIDDEN(swapon), FORBIDDEN(swapoff),
    FORBIDDEN(syslog), FORBIDDEN(acct), FORBIDDEN(quotactl), FORBIDDEN(settimeofday),
    FORBIDDEN(clock_settime), FORBIDDEN(clock_adjtime), FORBIDDEN(adjtimex),
    FORBIDDEN(sethostname), FORBIDDEN(setdomainname), FORBIDDEN(personality),
#ifdef __x86_64__
    FORBIDDEN(iopl), FORBIDDEN(ioperm), FORBIDDEN(modify_ldt), FORBIDDEN(kexec_file_load),
#endif

    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
    LOAD(args[0]), /* its low half: these machines are little-endian */
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SPACES, 0, 1),
    REFUSE(EPERM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

step filter_system_calls(void)
{
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    /* Without the flag older kernels would switch off a processor's guesses, for no purpose here. */
    const unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program))
        return "filter its system calls";
    return NULL;
}
#else
step filter_system_calls(void)
{
    errno = ENOTSUP;
    return "filter the system calls of this kind of machine";
}
#endif
