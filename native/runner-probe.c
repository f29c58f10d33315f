/*
 * PROBE: a canary in a compiler's place, which tries to break out. Its words are files of the host
 * that a compiler must not get at. In a root of its own they must not even be there; its lower layers
 * hold /shown and /hidden, and a layer above has a whiteout for /hidden.
 */
#include "runner.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool is_absent(const char *path)
{
    struct stat found;
    if (lstat(path, &found) == 0) errno = EEXIST;
    return errno == ENOENT || errno == ENOTDIR;
}

/* Whether a call that must fail did; if it did not, errno says that something is there. */
static bool is_refused(long result)
{
    if (result >= 0) errno = EISCONN;
    return result < 0;
}

static bool has_no_network(void)
{
    return is_refused(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) &&
           is_refused(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) &&
           is_refused(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool is_kept_from_kernel(void)
{
    char nothing[128] = {0};
    return is_refused(unshare(CLONE_NEWUSER)) && is_refused(mount("none", "/", "tmpfs", 0, NULL)) &&
           is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) &&
           is_refused(syscall(SYS_bpf, 0, nothing, sizeof nothing)) &&
           is_refused(syscall(SYS_io_uring_setup, 1, nothing)) &&
           is_refused(syscall(SYS_keyctl, 0, -3, 1)) &&
           is_refused(syscall(SYS_clone3, nothing, 88));
}

static bool has_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, now)) return true;
    bool some = now[0].permitted || now[1].permitted;
    if (some) errno = EPERM;
    return some;
}

static bool can_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    ssize_t n = write(fd, "x", 1);
    return close(fd) == 0 && n == 1;
}

static bool can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, &byte, 1);
    close(fd);
    return n == 1;
}

/* The runner is root's. */
static step probe_user(uint64_t user)
{
    struct rlimit processes;
    errno = EPERM;
    if (getuid() != user || geteuid() != user || getegid() != user || getgroups(0, NULL))
        return "be a user of its own";
    if (!is_refused(syscall(SYS_setresuid, 0, 0, 0))) return "stay a user of its own";
    if (!is_refused(kill(getppid(), 0))) return "be kept from the server's processes";
    if (getrlimit(RLIMIT_NPROC, &processes) || processes.rlim_max == RLIM_INFINITY)
        return "be held to its processes";
    return NULL;
}

/* By whatever stands in the way. */
static bool is_out_of_reach(const char *path)
{
    if (!is_refused(open(path, O_RDONLY | O_CLOEXEC))) return false;
    if (!is_refused(open(path, O_WRONLY | O_CLOEXEC))) return false;
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.beside", path);
    return is_refused(open(beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) &&
           is_refused(unlink(path)) && is_refused(rename(path, beside));
}

static step exceed_limits(const struct request *r)
{
    signal(SIGXFSZ, SIG_IGN);
    if (pwrite(STDOUT_FILENO, "x", 1, (off_t)r->number[FILE_SIZE]) >= 0 || errno != EFBIG)
        return "be held to the size of a file";
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const size_t bytes = r->number[MEMORY];
    void *memory = mmap(NULL, bytes, PROT_NONE, how, -1, 0);
    if (memory != MAP_FAILED) {
        munmap(memory, bytes);
        errno = EISCONN;
        return "be held to its memory";
    }
    int last;
    while ((last = dup(STDOUT_FILENO)) >= 0)
        if ((uint64_t)last >= r->number[FILES]) return "be held to its descriptors";
    struct rlimit time;
    for (int fd = STDERR_FILENO + 1; fd < (int)r->number[FILES]; fd++) close(fd);
    if (getrlimit(RLIMIT_CPU, &time) || time.rlim_max > r->number[CPU])
        return "be held to its time";
    return NULL;
}

static step probe_root(const struct request *r)
{
    const bool is_sealed = root_of(r) == SEALED_ROOT;
    if (is_sealed && (getpid() != 2 || kill(-1, 0) == 0)) return "be alone in the root";
    for (size_t i = 0; i < r->words->count; i++)
        if (!is_absent(r->words->items[i])) return "hide the host's files";
    if (!is_absent("/proc/self")) return "hide the host's processes";
    if (!can_read("/shown")) return "see a lower layer";
    if (!is_absent("/hidden")) return "hide a file by a whiteout";
    if (!can_write("/new") || !can_write("/shown")) return "write in the root";
    if (unlink("/shown") || !is_absent("/shown")) return "remove a file in the root";
    if (!can_write("/.tscc/new")) return "write in /.tscc";
    if (!can_write("/dev/null") || !can_read("/dev/zero") || !can_read("/dev/urandom"))
        return "use the devices";
    return NULL;
}

step probe(const struct request *r)
{
    const uint64_t layers = r->number[SANDBOX];
    const bool is_sealed = root_of(r) != NO_ROOT;
    if (chdir(r->string[CWD])) return "enter the job directory";
    step failed = confine(r);
    if (failed) return failed;
    const bool is_nobody = root_of(r) != SEALED_ROOT || getuid() != 0;
    if (has_capabilities() || !is_nobody) return "be without privileges";
    if ((layers & SANDBOX_SECCOMP) && !has_no_network()) return "do without a network";
    if ((layers & SANDBOX_SECCOMP) && !is_kept_from_kernel()) return "be kept from the kernel";
    if (is_sealed) failed = probe_root(r);
    if (r->number[USER]) failed = probe_user(r->number[USER]);
    const bool is_kept_from_files = (layers & SANDBOX_LANDLOCK) || r->number[USER];
    for (size_t i = 0; !failed && !is_sealed && i < r->words->count; i++)
        if (is_kept_from_files && !is_out_of_reach(r->words->items[i]))
            failed = "be kept from the host's files";
    if (!failed && !is_sealed && !can_write("canary")) failed = "write in the job directory";
    if (!failed && (layers & SANDBOX_LANDLOCK) && is_sealed)
        if (!is_refused(mknod("/node", S_IFSOCK | 0600, 0))) failed = "be kept from sockets";
    return failed ? failed : exceed_limits(r);
}
